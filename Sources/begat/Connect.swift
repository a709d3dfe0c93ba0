import ArgumentParser
import Clients

struct Connect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Speak to a server: standard input goes there, what it sends comes to standard output.",
    usage: "begat connect [<options>] HOST PORT\nbegat connect [<options>] PATH",
    discussion: """
      Ends when the server does. The end of standard input is passed on, and receiving goes on. All addresses of a \
      host are tried in turn. The exit status is 1 where no address answered or the connection broke.
      """)

  @OptionGroup var arguments: TargetArguments

  @Option(
    help: ArgumentHelp("How long its addresses are tried together (default: 10s).", valueName: "time"),
    transform: readDuration)
  var timeout: Duration?

  @Flag(help: "Leave standard input alone.")
  var receiveOnly = false

  func validate() throws { _ = try arguments.target() }

  func run() throws {
    let client = ConnectClient(
      target: try arguments.target(), timeout: timeout ?? .seconds(10), receivesOnly: receiveOnly)
    if !client.run() { throw ExitCode.failure }
  }
}
