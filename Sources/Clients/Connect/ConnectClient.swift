import Glibc
@_spi(Begat) import NameService
import NetworkServices
@_spi(Begat) import UnixCore

/// `begat connect`: joins standard input and output to a connection.
public struct ConnectClient: Sendable {
  public var target: ConnectionTarget
  /// How long the target's addresses are tried, all together.
  public var timeout = Duration.seconds(10)
  /// Stream sockets, or sockets of which each message is one of the input's or output's pieces.
  public var kind = SocketKind.stream
  /// The only family of addresses that is used; nil uses both.
  public var family: AddressFamily?
  /// Whether one peer is waited for at the target, instead of connecting to it.
  public var listens = false
  /// TLS, as a client; nil speaks in the clear.
  public var tls: TLSSettings?
  /// The header of the PROXY protocol that comes before the input.
  public var proxy: ProxyClaim?
  /// Whether standard input is left alone.
  public var receivesOnly = false
  /// Whether the lines of the input are sent with CR LF.
  public var sendsCRLF = false
  /// How long the input may be silent after the peer's end; nil waits for its end.  A terminal is not waited for.
  public var linger: Duration? = .milliseconds(500)
  /// How long answers to datagrams are waited for after the end of the input, which cannot be passed on.
  public var answerLimit: Duration? = .seconds(2)

  public init(target: ConnectionTarget) { self.target = target }

  /// Runs until both sides have ended; what goes wrong is said on standard error.
  ///
  /// - Returns: whether all went well.
  public func run() -> Bool {
    let command = CommandRun(command: "begat connect")
    return command.attempt(failure: false) {
      do {
        try carry()
        return true
      } catch let failure as ConnectionTarget.ConnectError {
        for reason in failure.reasons { command.complain("\(reason)") }
      } catch let failure as Pump.Failure {
        if failure.side == .output, failure.code == .brokenPipe, !StartSignals.ignored.contains(.brokenPipe) {
          // The output has no reader any more: the end of every filter.
          _ = ProcessEnd.by(.brokenPipe)
        }
        command.complain("\(name(of: failure.side)): \(failure.code)")
      } catch let failure as Hosts.LookupError {
        command.complain("\(failure)")
      }
      return false
    }
  }

  private func carry() throws {
    Signal.brokenPipe.ignore()
    if !receivesOnly { try StandardStream.checkInput() }
    if kind != .stream { return try exchangeMessages() }
    let connection = listens ? try PeerListener(target, family: family).accept(announcing: announce) : try connect()
    try sendHeader(on: connection)
    guard let tls else { return try carry(over: connection.socket) }
    let session: TLSSession
    do {
      session = try TLSSession(
        connection.socket, host: target.hostName, settings: tls, until: Deadline(after: timeout))
    } catch let failure as TLSSession.Failure { throw TLSSession.Failure(description: "\(target): \(failure)") }
    let (bridge, number) = try TLSBridge.start(session)
    let outcome = Result { try carry(over: Descriptor(owning: number)) }
    // A command that can read or write no more does not wait for its peer.
    if case .failure(let failure as Pump.Failure) = outcome, failure.side != .connection { throw failure }
    if let reason = bridge.finish() { throw TLSSession.Failure(description: "\(target): \(reason)") }
    try outcome.get()
  }

  /// Runs until both directions have ended, and closes the connection.
  private func carry(over socket: consuming Descriptor) throws {
    let isConversation = StandardStream.input.isTerminal
    if isConversation, StandardStream.errors.isTerminal { StandardStream.complain("[Connected to \(target)]") }
    var pump = try Pump(
      input: receivesOnly ? nil : try StandardStreams.take(STDIN_FILENO),
      output: NonBlockingOutput(try StandardStreams.take(STDOUT_FILENO)), connection: socket,
      changesLineEnds: sendsCRLF, patience: isConversation ? .zero : linger)
    try pump.run()
  }

  private func sendHeader(on connection: borrowing ClientConnection) throws {
    guard let proxy else { return }
    let header = proxy.header(from: try connection.socket.localAddress().address, to: connection.address)
    do throws(SystemCallError) {
      try connection.socket.sendAll(header, until: Deadline(after: timeout))
    } catch { throw Pump.Failure(side: .connection, code: error.code) }
  }

  private func connect() throws -> ClientConnection {
    var note = TerminalNote()
    note.show("[Connecting to \("\(target)".prefix(50))]")
    defer { note.clear() }
    return try target.connect(family: family, until: Deadline(after: timeout))
  }

  private func announce(_ address: String) {
    if StandardStream.errors.isTerminal { StandardStream.complain("[Listening at \(address)]") }
  }

  private func exchangeMessages() throws {
    let peer =
      listens
      ? try PeerListener(target, family: family).acceptMessages(kind, announcing: announce)
      : try MessageSocket.connect(to: target, kind: kind, family: family)
    let hasEnd = kind == .sequencedPacket
    let exchange = MessageExchange(
      peer, hasEnd: hasEnd, readsInput: !receivesOnly, patience: receivesOnly ? nil : hasEnd ? linger : answerLimit)
    try exchange.run()
  }

  private func name(of side: Pump.Side) -> String {
    switch side {
    case .input: "read standard input"
    case .output: "write standard output"
    case .connection: "\(target)"
    }
  }
}

extension ConnectionTarget {
  /// The owner of the server's certificate; nil for a Unix socket.
  fileprivate var hostName: String? {
    switch self {
    case .host(let host, _): host
    case .unix: nil
    }
  }
}
