import Glibc
import NameService
import UnixIPC

/// `begat connect`: joins standard input and output to a connection.
public struct ConnectClient: Sendable {
  public var target: ConnectionTarget
  /// How long the target's addresses are tried, all together.
  public var timeout: Duration
  /// Whether standard input is left alone.
  public var receivesOnly: Bool

  public init(target: ConnectionTarget, timeout: Duration = .seconds(10), receivesOnly: Bool = false) {
    self.target = target
    self.timeout = timeout
    self.receivesOnly = receivesOnly
  }

  /// Runs until the peer ends the connection; what goes wrong is said on standard error.
  ///
  /// - Returns: whether all went well.
  public func run() -> Bool {
    Signal.brokenPipe.ignore()
    do {
      try StandardStream.fillGaps()
      let connection = try target.connect(until: Deadline(after: timeout))
      if StandardStream.input.isTerminal, StandardStream.errors.isTerminal {
        StandardStream.complain("[Connected to \(target)]")
      }
      let input = try StandardStream.input.duplicate()
      let output = try PatientOutput(for: .output)
      var pump = Pump(receivesOnly: receivesOnly)
      try pump.run(input: input, output: output, connection: connection.socket)
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
