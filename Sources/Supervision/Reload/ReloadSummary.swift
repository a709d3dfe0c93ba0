import Control

/// A reload in one line of the log.
struct ReloadSummary: CustomStringConvertible {
  let description: String

  /// How many services of a kind are named.
  private static let maxNames = 8

  init(_ report: ReloadReport, _ failures: [String]) {
    var parts: [String] = []
    let changed = report.changed.map { "\($0.service) (\($0.reasons.joined(separator: ", ")))" }
    for (word, names) in [("changed", changed), ("added", report.added), ("removed", report.removed)] {
      if !names.isEmpty { parts.append("\(word) \(ReloadSummary.list(names))") }
    }
    if !report.daemonKeys.isEmpty { parts.append("[daemon] \(report.daemonKeys.joined(separator: ", "))") }
    parts.append(
      parts.isEmpty
        ? "nothing has changed" : "\(counted(report.unchanged, "service", "services")) unchanged")
    if !report.needingRestart.isEmpty {
      parts.append("at the next start only: [daemon] \(report.needingRestart.joined(separator: ", "))")
    }
    if !failures.isEmpty { parts.append("not started: \(ReloadSummary.list(failures))") }
    description = parts.joined(separator: "; ")
  }

  private static func list(_ names: [String]) -> String {
    let rest = names.count - maxNames
    return names.prefix(maxNames).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
