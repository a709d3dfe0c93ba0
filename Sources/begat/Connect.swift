import ArgumentParser
import Clients
@_spi(Begat) import NameService
import UnixCore

struct Connect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect",
    abstract: "Speak to a server: standard input goes there, what it sends comes to standard output.",
    usage:
      "begat connect [<options>] HOST PORT\nbegat connect [<options>] PATH\nbegat connect --listen [<options>] ADDRESS PORT",
    discussion: """
      The end of standard input is passed on, and receiving goes on; the server's end closes standard output, and what \
      the input still brings is sent on (--linger). At a terminal it ends when the server does. All addresses of a host \
      are tried. With --listen, one peer is waited for there instead. With --udp or --seqpacket, each piece that is \
      read is sent as one message. The exit status is 1 where no address answered or the connection broke.
      """)

  @OptionGroup var arguments: TargetArguments

  @Option(
    help: ArgumentHelp(
      "How long its addresses are tried together, then the PROXY header and the TLS handshake (default: 10s each).",
      valueName: "time"),
    transform: readDuration)
  var timeout: Duration?

  @Flag(help: "Wait there for one peer, instead of connecting.")
  var listen = false

  @Flag(help: "Speak UDP, or to a Unix datagram socket; ends when answers have been awaited for 2 s, or --linger.")
  var udp = false

  @Flag(help: "Speak to a Unix socket that keeps messages apart (SOCK_SEQPACKET).")
  var seqpacket = false

  @OptionGroup var family: FamilyOptions

  @Flag(help: "Speak TLS, and check the server's certificate. OpenSSL must be installed.")
  var tls = false

  @Option(
    help: ArgumentHelp("With --tls, trust the certificates in this file instead of the machine's.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Option(
    help: ArgumentHelp("With --tls, the owner of the certificate, instead of the host.", valueName: "name"))
  var serverName: String?

  @Flag(
    name: [.customShort("k"), .long], help: "With --tls, take any certificate, so that any machine may be the server.")
  var insecure = false

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

  /// Refuses options that contradict each other or the target.
  ///
  /// Called when everything is parsed, since an operand too many must be reported before the port that it is taken for.
  private func check(_ target: ConnectionTarget) throws {
    if case .unix = target, family.family != nil { throw ValidationError("a Unix socket has no IPv4 or IPv6 address") }
    if case .host = target, seqpacket { throw ValidationError("--seqpacket is for Unix sockets") }
    if udp, seqpacket { throw ValidationError("--udp and --seqpacket exclude each other") }
    if udp || seqpacket, crlf || proxy != nil {
      throw ValidationError("--crlf and --proxy are for streams")
    }
    if !tls, caFile != nil || serverName != nil || insecure {
      throw ValidationError("--ca-file, --server-name and --insecure belong to --tls")
    }
    if let serverName, serverName.isEmpty || serverName.hasPrefix(".") {
      throw ValidationError("--server-name needs the whole name that the certificate must have")
    }
    if tls, listen || udp || seqpacket { throw ValidationError("--tls is for connecting to a stream") }
    if listen, timeout != nil || proxy != nil { throw ValidationError("--timeout and --proxy are for connecting") }
    if from != nil, proxy == nil {
      throw ValidationError("--from needs --proxy v1 or --proxy v2: it names the client in that header")
    }
    if receiveOnly, crlf || linger != nil { throw ValidationError("--receive-only sends nothing") }
  }

  func run() throws {
    let target = try arguments.target()
    try check(target)
    var client = ConnectClient(target: target)
    if let timeout { client.timeout = timeout }
    client.receivesOnly = receiveOnly
    client.sendsCRLF = crlf
    client.proxy = proxy.map { ProxyClaim($0, client: from) }
    client.kind = udp ? .datagram : seqpacket ? .sequencedPacket : .stream
    client.family = family.family
    client.listens = listen
    if tls {
      var settings = TLSSettings()
      settings.authorities = caFile
      settings.serverName = serverName
      settings.acceptsAnyCertificate = insecure
      client.tls = settings
    }
    if let linger {
      client.linger = linger.limit
      client.answerLimit = linger.limit
    }
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
