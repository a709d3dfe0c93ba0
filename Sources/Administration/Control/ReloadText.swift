import Control

/// `begat reload`: what has changed, or would change.
enum ReloadText {
  static func text(_ report: ReloadReport) -> String {
    var lines = report.added.map { "added    \($0)" }
    lines += report.changed.map { change in
      "changed  \(change.service)" + (change.reasons.isEmpty ? "" : ": \(change.reasons.joined(separator: ", "))")
    }
    lines += report.removed.map { "removed  \($0)" }
    if !report.daemonKeys.isEmpty { lines.append("changed  [daemon]: \(report.daemonKeys.joined(separator: ", "))") }
    if !report.needingRestart.isEmpty {
      lines.append("restart begatd for [daemon] \(report.needingRestart.joined(separator: ", "))")
    }
    lines.append(summary(report))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func summary(_ report: ReloadReport) -> String {
    let changes = report.added.count + report.changed.count + report.removed.count
    let counts = "\(changes) of \(changes + report.unchanged) services \(report.isDryRun ? "would change" : "changed")"
    return report.isDryRun ? "the configuration is right; \(counts)" : "reloaded; \(counts)"
  }
}
