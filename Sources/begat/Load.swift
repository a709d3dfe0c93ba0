import ArgumentParser
import Clients

struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Measure how many connections a server takes per second.",
    usage: "begat load [<options>] HOST PORT\nbegat load [<options>] PATH",
    discussion: """
      Each connection is opened, read to its end and closed; the next takes its place immediately, or with --rate begins \
      when it is due. Latency counts from the start of connect(2), or from the time when the connection was due, to the \
      end of file. Of a host's addresses the first that answers is measured. A connection that is refused, or closed \
      without a byte, has failed. With --udp each client sends a datagram and waits for the answer instead. \
      Ctrl-C ends the run with the report. The exit status is 1 if any connection failed, or was due and did not begin.
      """)

  @OptionGroup var arguments: TargetArguments

  @Flag(help: "Send datagrams, each of which has one datagram for an answer; to a path, those of Unix sockets.")
  var udp = false

  @Option(
    help: ArgumentHelp(
      "Connections under way at the same time (default: 16; with --rate at most so many, 1000).", valueName: "n"))
  var concurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Begin so many connections in a second, as in 500, 500/s or 0.5, whatever becomes of those before.",
      valueName: "rate"), transform: Load.readRate)
  var rate: Double?

  @Option(help: ArgumentHelp("End after this many connections.", valueName: "n"))
  var connections: Int?

  @Option(
    help: ArgumentHelp("Begin connections for this long (default: 10s).", valueName: "time"), transform: readDuration)
  var duration: Duration?

  @Option(
    help: ArgumentHelp(
      "Fail each connection that receives another number of bytes (default: that receives none).", valueName: "n"))
  var expectBytes: Int?

  @Option(
    help: ArgumentHelp(
      "Fail each connection that does not receive this text, among others.", valueName: "text"))
  var expect: String?

  @Option(help: ArgumentHelp("Bytes that each connection sends unasked.", valueName: "n"))
  var sendBytes = 0

  @Option(
    help: ArgumentHelp(
      "A line that each connection sends, such as quit to the command server; a datagram has no line end.",
      valueName: "text"))
  var send: String?

  @Option(
    help: ArgumentHelp(
      "Begin each connection with a header of the PROXY protocol, as a proxy does: v1 or v2.", valueName: "version"))
  var proxy: ProxyClaim.Version?

  @Option(
    help: ArgumentHelp(
      """
      Connect from this many addresses in turn, from 127.1.0.1 on; 0: from one, which the kernel chooses. With --proxy: \
      claim this many clients, from 198.18.0.1 on.
      """,
      valueName: "n"))
  var sources = 0

  @Option(help: ArgumentHelp("Open this many connections first and leave them idle until the end.", valueName: "n"))
  var hold = 0

  @Option(
    help: ArgumentHelp("The time that one connection may take (default: 10s; with --udp 1s).", valueName: "time"),
    transform: readDuration)
  var timeout: Duration?

  @Flag(help: "Print one JSON object; latencies are in microseconds.")
  var json = false

  private static func readRate(_ text: String) throws -> Double {
    let number = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
    // Double takes 0x10, 1e3 and nan too.
    guard number.allSatisfy({ $0 == "." || $0.isASCII && $0.isNumber }), let rate = Double(number) else {
      throw ValidationError("a rate is a number of connections in a second, as in 500 or 500/s")
    }
    return rate
  }

  func validate() throws {
    if expect?.isEmpty ?? false { throw ValidationError("--expect: the text is empty") }
    if connections != nil, duration != nil { throw ValidationError("--connections and --duration exclude each other") }
    if send != nil, sendBytes != 0 { throw ValidationError("--send and --send-bytes exclude each other") }
  }

  func run() throws {
    // Not in validate(): an operand too many must be reported before the port that it is taken for.
    let settings = try settings()
    if let problem = settings.problem { throw ValidationError(problem) }
    if !LoadClient(settings: settings).run() { throw ExitCode.failure }
  }

  private func settings() throws -> LoadSettings {
    var settings = LoadSettings(target: try arguments.target(transport: udp ? .udp : .tcp))
    settings.usesDatagrams = udp
    settings.concurrency = concurrency
    settings.rate = rate
    settings.end = connections.map { .connections($0) } ?? .duration(duration ?? .seconds(10))
    settings.expectedBytes = expectBytes
    settings.expectedText = Array((expect ?? "").utf8)
    settings.sentBytes = sendBytes
    if let send { settings.sentText = Array(send.utf8) + (udp ? [] : [UInt8(ascii: "\n")]) }
    settings.proxy = proxy
    settings.sources = sources
    settings.held = hold
    settings.timeout = timeout
    settings.json = json
    return settings
  }
}
