import ArgumentParser
import Clients
@_spi(Begat) import NameService

struct Time: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show how far the clocks of hosts are from this one, by their time servers.",
    discussion: """
      All hosts are asked at once (RFC 868). The first row is this machine; then each host has its difference in whole \
      seconds, positive where its clock is ahead, and its time, half the round trip taken off; or the reason why there \
      is none. The exit status is 1 where any host failed.
      """)

  @OptionGroup var arguments: SurveyArguments

  func validate() throws { _ = try arguments.settings(defaultPort: "time(37)") }

  func run() throws {
    if !TimeClient(settings: try arguments.settings(defaultPort: "time(37)")).run() { throw ExitCode.failure }
  }
}
