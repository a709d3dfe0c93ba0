import ArgumentParser
import Clients
import Settings

struct Daytime: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "daytime",
    abstract: "Show the date and time as hosts tell them, by their daytime servers.",
    discussion: """
      All hosts are asked at once (RFC 867). Of several hosts each line begins with the host. Bytes that are not \
      printable ASCII are shown as \\xHH. The exit status is 1 where any host failed.
      """)

  @OptionGroup var arguments: SurveyArguments

  mutating func add(_ words: [String]) { arguments.hosts += words }

  func validate() throws { _ = try arguments.settings(defaultPort: "daytime(13)") }

  func run() throws {
    if !DaytimeClient(settings: try arguments.settings(defaultPort: "daytime(13)")).run() { throw ExitCode.failure }
  }
}
