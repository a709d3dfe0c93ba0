import Configuration
import Control
import Settings
@_spi(Begat) import UnixCore

/// An answer as people read it.
struct ControlOutput {
  /// For standard output.
  let text: String
  /// For standard error, a line each.
  let complaints: [String]
  let exitStatus: Int32

  /// - Parameter command: begins the complaints: `begat reload`.
  /// - Parameter width: of the lines of a table; nil for any.
  init(_ answer: ControlAnswer, command: String, view: ControlView = .whole, width: Int? = nil) {
    switch view.apply(answer) {
    case .status(let report):
      if case .services = view {
        self.init(report.services.map { ServiceText.text($0, width: width) }.joined(separator: "\n"))
      } else {
        self.init(StatusText.text(report, width: width))
      }
    case .connections(let report):
      let omitted = report.omitted == 0 ? [] : ["\(command): \(report.omitted) further connections are not shown"]
      self.init(ConnectionText.text(report, width: width), complaints: omitted)
    case .reload(let report):
      self.init(ReloadText.text(report), complaints: report.warnings.map { "warning: \($0)" })
    case .order(let report):
      self.init(
        report.message + "\n", complaints: report.problems.map { "\(command): \($0)" },
        exitStatus: report.problems.isEmpty ? 0 : ControlFailure.failed)
    case .failure(let failure):
      // A status that a shell would take for success, or for a signal, would mislead.
      let status = (1...125).contains(failure.exitStatus) ? failure.exitStatus : ControlFailure.failed
      self.init(
        "", complaints: failure.problems + ["\(command): \(failure.message)"], exitStatus: status)
    }
  }

  private init(_ text: String, complaints: [String] = [], exitStatus: Int32 = 0) {
    self.text = ControlOutput.printable(text)
    self.complaints = complaints
    self.exitStatus = exitStatus
  }
}

extension ControlOutput {
  /// The text with escapes where a byte is not printable: parts of it came from other processes, and from their clients.
  private static func printable(_ text: String) -> String {
    let newline = UInt8(ascii: "\n")
    if text.utf8.allSatisfy({ $0 == newline || (0x20...0x7e).contains($0) }) { return text }
    return text.utf8.split(separator: newline, omittingEmptySubsequences: false)
      .map { escaped($0, doublingBackslashes: false) }.joined(separator: "\n")
  }
}

/// Short texts for columns.
enum ColumnText {
  /// A duration in its largest unit: `12s`, `3m`, `5h`, `40d`.
  static func age(_ duration: Duration) -> String {
    let seconds = max(0, duration.components.seconds)
    return switch seconds {
    case ..<100: "\(seconds)s"
    case ..<6000: "\(seconds / 60)m"
    case ..<360_000: "\(seconds / 3600)h"
    default: "\(seconds / 86_400)d"
    }
  }

  /// A number per second: `0`, `0.3`, `12`.
  static func rate(_ rate: Double) -> String {
    guard rate.isFinite, rate > 0 else { return "0" }
    let tenths = Int64(min(rate * 10, 1e15).rounded())
    // A rate above zero must not read as zero.
    if tenths == 0 { return "<0.1" }
    return tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
  }

  /// A number of bytes in at most five characters: `512`, `20K`, `1.5M`.
  static func size(_ count: UInt64?) -> String {
    guard let count else { return "-" }
    var value = count
    var rest: UInt64 = 0
    var units = ["", "K", "M", "G", "T", "P", "E"][...]
    while value >= 1024, units.count > 1 {
      rest = value % 1024
      value /= 1024
      units.removeFirst()
    }
    let unit = units.first ?? ""
    return unit.isEmpty || value >= 10 ? "\(value)\(unit)" : "\(value).\(rest * 10 / 1024)\(unit)"
  }
}
