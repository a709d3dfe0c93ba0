import Control
import Glibc
import JSON
import Settings
@_spi(Begat) import UnixCore

/// The commands that speak to a running begatd: `begat status`, `ps`, `reload` and others.
public struct ControlCommand: Sendable {
  /// Asks for this.
  public var request: ControlRequest
  /// The control socket of begatd; nil for the usual places.
  public var socket: String?
  /// Prints the answer as it came.
  public var printsJSON: Bool

  public init(_ request: ControlRequest, socket: String? = nil, printsJSON: Bool = false) {
    self.request = request
    self.socket = socket
    self.printsJSON = printsJSON
  }

  /// Asks, prints and returns the exit status: 0, 1, or `EX_USAGE` or `EX_CONFIG` of sysexits(3).
  public func run() -> CInt {
    let command = "begat \(request.name.rawValue)"
    do throws(ControlClientError) {
      let client = ControlClient(places: ControlPlaces(given: socket))
      let (answer, line) = try client.answer(request, within: patience)
      let output = ControlOutput(answer, command: command)
      let text = printsJSON ? ControlCommand.json(line) : output.text
      for complaint in output.complaints { ControlCommand.complain(complaint) }
      return ControlCommand.write(text) ? output.exitStatus : ControlFailure.failed
    } catch {
      ControlCommand.complain("\(command): \(error)")
      return error.exitStatus
    }
  }

  /// How long begatd may take; nil is forever.
  private var patience: Duration? {
    switch request {
    case .drain(_, wait: .untilDone): nil
    // begatd says when the time is over; this is for one that does not.
    case .drain(_, wait: .atMost(let limit)): limit + ControlClient.patience
    // The configuration may lie on a slow file system, and its users in a slow directory service.
    case .reload: .seconds(120)
    default: ControlClient.patience
    }
  }

  /// The line again, in printable ASCII whatever sent it.
  private static func json(_ line: [UInt8]) -> String { ((try? JSONReader.read(line))?.text ?? "null") + "\n" }

  private static func complain(_ line: String) {
    try? StandardError.tryWrite(escaped(line.utf8, doublingBackslashes: false) + "\n")
  }

  private static func write(_ text: String) -> Bool {
    do throws(SystemCallError) {
      try StandardStreams.ensureOpen(failing: true)
      let bytes = Array(text.utf8)
      var written = 0
      while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count > 0 {
          written += count
        } else if errno != EINTR {
          throw SystemCallError("write", on: "standard output", code: .init(rawValue: errno))
        }
      }
      return true
    } catch {
      complain("begat: \(error)")
      return false
    }
  }
}
