import ArgumentParser
import Clients
@_spi(Begat) import NameService

struct Time: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "time",
    abstract: "Show how far the clocks of hosts are from this one, by their time servers.",
    discussion: """
      All hosts are asked at once (RFC 868). The first row is this machine; then each host has its difference in whole \
      seconds, positive where its clock is ahead, and its time, half the round trip taken off; or the reason why there \
      is none. The exit status is 1 where any host failed.
      """)

  @OptionGroup var arguments: SurveyArguments

  @Flag(help: "With --udp, ask the machines of a network at its broadcast address, and show all that answer in time.")
  var broadcast = false

  mutating func add(_ words: [String]) { arguments.hosts += words }

  func validate() throws {
    let settings = try arguments.settings(defaultPort: "time(37)")
    guard broadcast else { return }
    if !arguments.udp || settings.json { throw ValidationError("--broadcast needs --udp, and has no --json") }
    for host in settings.hosts {
      if case .unix = host.target { throw ValidationError("--broadcast is for IPv4 addresses") }
    }
  }

  func run() throws {
    if broadcast {
      return try finish(TimeClient(settings: try arguments.settings(defaultPort: "time(37)")).runBroadcast())
    }
    if !TimeClient(settings: try arguments.settings(defaultPort: "time(37)")).run() { throw ExitCode.failure }
  }
}
