import ArgumentParser
import Clients
import UnixCore

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

  @Option(
    help: ArgumentHelp(
      "Send a header of the PROXY protocol first, as a proxy does: v1 or v2.", valueName: "version"))
  var proxy: ProxyClaim.Version?

  @Option(
    help: ArgumentHelp(
      "The client that the header of --proxy names: ADDRESS or ADDRESS:PORT (default: this end of the connection).",
      valueName: "address"),
    transform: readClient)
  var from: SocketAddress?

  func validate() throws {
    _ = try arguments.target()
    if from != nil, proxy == nil {
      throw ValidationError("--from needs --proxy v1 or --proxy v2: it names the client in that header")
    }
    if receiveOnly, crlf || linger != nil { throw ValidationError("--receive-only sends nothing") }
  }

  func run() throws {
    var client = ConnectClient(target: try arguments.target())
    if let timeout { client.timeout = timeout }
    client.receivesOnly = receiveOnly
    client.sendsCRLF = crlf
    client.proxy = proxy.map { ProxyClaim($0, client: from) }
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

private func readClient(_ text: String) throws -> SocketAddress {
  guard let client = ProxyClaim.client(text) else {
    throw ValidationError(
      "a client is an IPv4 or IPv6 address, with its port as in 192.0.2.7:4000 or [2001:db8::7]:4000")
  }
  return client
}

extension ProxyClaim.Version: ExpressibleByArgument {}
