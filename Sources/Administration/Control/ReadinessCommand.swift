import Control
import Monitoring
import UnixCore

/// `begat status --check`: whether clients should come, as an exit status.
public struct ReadinessCommand: Sendable {
  /// The control socket of begatd; nil for the usual places.
  public var socket: String?
  /// The services that matter; none stands for begatd and all of them.
  public var services: [String]

  public init(socket: String? = nil, services: [String] = []) {
    self.socket = socket
    self.services = services
  }

  /// Prints the verdict and returns 0 if clients should come, else 1.
  public func run() -> CInt {
    let client = ControlClient(places: ControlPlaces(given: socket))
    guard let report = client.statusReport(for: "begat status") else { return ControlFailure.failed }
    let (text, status) = ReadinessCommand.output(report.readiness(of: services))
    return StandardOutput.write(text, of: "begat status") ? status : ControlFailure.failed
  }

  static func output(_ readiness: Readiness) -> (text: String, status: CInt) {
    guard !readiness.isReady else { return ("ready\n", 0) }
    return (readiness.obstacles.map { "\(printableCell($0.text))\n" }.joined(), ControlFailure.failed)
  }
}

extension ControlClient {
  /// Asks for the state of begatd and of listeners without it.
  ///
  /// - Parameter command: the name that begins error messages.
  /// - Returns: nil if neither answers, which has been reported.
  func statusReport(for command: String) -> StatusReport? {
    do throws(ControlClientError) {
      switch try answer(.status, within: ControlClient.patience).answer {
      case .status(let report): return report
      case .failure(let failure): Complaint.write("\(command): \(failure.message)")
      default: preconditionFailure("an answer is of its request's kind")
      }
    } catch { Complaint.write("\(command): \(error)") }
    return nil
  }
}
