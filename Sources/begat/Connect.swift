import ArgumentParser
import Clients

struct Connect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Speak to a server: standard input goes there, what it sends comes to standard output.",
    usage: "begat connect [<options>] HOST PORT\nbegat connect [<options>] PATH",
    discussion: """
      The end of standard input is passed on, and receiving goes on; the server's end closes standard output, and what \
      the input still brings is sent on (--linger). At a terminal it ends when the server does. All addresses of a host \
      are tried. The exit status is 1 where no address answered or the connection broke.
      """)

  @OptionGroup var arguments: TargetArguments

  @Option(
    help: ArgumentHelp("How long its addresses are tried together (default: 10s).", valueName: "time"),
    transform: readDuration)
  var timeout: Duration?

  @Flag(help: "Leave standard input alone.")
  var receiveOnly = false

  @Flag(help: "Send lines with CR LF at their ends, as most internet protocols want them.")
  var crlf = false

  @Option(
    help: ArgumentHelp(
      "How long the input may be silent after the server's end: a time, or \"forever\" (default: 500ms).",
      valueName: "time"),
    transform: readLinger)
  var linger: Linger?

  func validate() throws {
    _ = try arguments.target()
    if receiveOnly, crlf || linger != nil { throw ValidationError("--receive-only sends nothing") }
  }

  func run() throws {
    var client = ConnectClient(target: try arguments.target())
    if let timeout { client.timeout = timeout }
    client.receivesOnly = receiveOnly
    client.sendsCRLF = crlf
    if let linger { client.linger = linger.limit }
    try finish(client.run())
  }
}

struct Linger {
  /// nil is forever.
  let limit: Duration?
}

private func readLinger(_ text: String) throws -> Linger {
  Linger(limit: text == "forever" ? nil : try readDuration(text))
}
