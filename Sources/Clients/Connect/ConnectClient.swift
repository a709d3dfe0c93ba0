import Glibc
@_spi(Begat) import NameService
import NetworkServices
@_spi(Begat) import UnixCore

/// `begat connect`: joins standard input and output to a connection.
public struct ConnectClient: Sendable {
  public var target: ConnectionTarget
  /// How long the target's addresses are tried, all together.
  public var timeout = Duration.seconds(10)
  /// The header of the PROXY protocol that comes before the input.
  public var proxy: ProxyClaim?
  /// Whether standard input is left alone.
  public var receivesOnly = false
  /// Whether the lines of the input are sent with CR LF.
  public var sendsCRLF = false
  /// How long the input may be silent after the peer's end; nil waits for its end.  A terminal is not waited for.
  public var linger: Duration? = .milliseconds(500)

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
      }
      return false
    }
  }

  private func carry() throws {
    Signal.brokenPipe.ignore()
    let connection = try connect()
    try sendHeader(on: connection)
    let isConversation = StandardStream.input.isTerminal
    if isConversation, StandardStream.errors.isTerminal { StandardStream.complain("[Connected to \(target)]") }
    var pump = try Pump(
      input: receivesOnly ? nil : try StandardStreams.take(STDIN_FILENO),
      output: NonBlockingOutput(try StandardStreams.take(STDOUT_FILENO)), connection: connection.socket,
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
    return try target.connect(until: Deadline(after: timeout))
  }

  private func name(of side: Pump.Side) -> String {
    switch side {
    case .input: "standard input"
    case .output: "standard output"
    case .connection: "\(target)"
    }
  }
}
