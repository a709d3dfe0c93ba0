import Control
import Monitoring
import Settings
import UnixCore

/// `begat status --prometheus`: what `begat status` shows, as metrics.
public struct MetricsCommand: Sendable {
  /// The control socket of begatd; nil for the usual places.
  public var socket: String?
  /// The file that gets the metrics, replaced whole; nil for standard output.
  public var file: String?

  public init(socket: String? = nil, file: String? = nil) {
    self.socket = socket
    self.file = file
  }

  private static let name = "begat status"

  /// Asks, writes and returns the exit status: 0, or 1 if nothing answers or nothing can be written.
  ///
  /// The metrics of a begatd that does not answer are written too: an old file would say that all is well.
  public func run() -> CInt {
    let client = ControlClient(places: ControlPlaces(given: socket))
    let report = client.statusReport(for: MetricsCommand.name)
    var bytes: [UInt8] = []
    Metrics.append(report ?? StatusReport(daemon: nil, services: []), to: &bytes)
    let isWritten = file.map { MetricsCommand.replace($0, bytes) } ?? MetricsCommand.print(bytes)
    return report != nil && isWritten ? 0 : ControlFailure.failed
  }

  private static func print(_ bytes: [UInt8]) -> Bool {
    StandardOutput.write(String(decoding: bytes, as: UTF8.self), of: Self.name)
  }

  private static func replace(_ file: String, _ bytes: [UInt8]) -> Bool {
    do throws(SystemCallError) {
      let replacement = try FileReplacement(of: file)
      try replacement.contents.writeAll(bytes)
      try replacement.commit()
      return true
    } catch {
      Complaint.write("\(name): \(error)")
      return false
    }
  }
}
