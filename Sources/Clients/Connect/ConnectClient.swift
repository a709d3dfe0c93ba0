import Glibc
import NameService
import UnixIPC

/// `begat connect`: joins standard input and output to a connection.
public struct ConnectClient: Sendable {
  public var target: ConnectionTarget
  /// How long the target's addresses are tried, all together.
  public var timeout = Duration.seconds(10)
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
    Signal.brokenPipe.ignore()
    do {
      try StandardStream.fillGaps()
      let connection = try target.connect(until: Deadline(after: timeout))
      let isConversation = StandardStream.input.isTerminal
      if isConversation, StandardStream.errors.isTerminal { StandardStream.complain("[Connected to \(target)]") }
      var pump = try Pump(
        input: receivesOnly ? nil : try StandardStreams.take(STDIN_FILENO),
        output: PatientOutput(try StandardStreams.take(STDOUT_FILENO)), connection: connection.socket,
        changesLineEnds: sendsCRLF, patience: isConversation ? .zero : linger)
      try pump.run()
      return true
    } catch let error as ConnectionTarget.Failure {
      for reason in error.reasons { StandardStream.complain("begat connect: \(reason)") }
    } catch let error as Pump.Failure {
      StandardStream.complain("begat connect: \(name(of: error.side)): \(error.errno)")
    } catch {
      StandardStream.complain("begat connect: \(error)")
    }
    return false
  }

  private func name(of side: Pump.Side) -> String {
    switch side {
    case .input: "standard input"
    case .output: "standard output"
    case .connection: "\(target)"
    }
  }
}
