/// A line on a terminal that shows once a second how a run goes.
struct LoadProgress {
  private let start: Int64
  private var shown: (time: Int64, count: Int)
  private var note = TerminalNote()

  private static let interval: Int64 = 1_000_000_000

  init(start: Int64) {
    self.start = start
    shown = (start, 0)
  }

  /// Shows the line anew if a second has passed.
  mutating func show(_ tally: LoadTally, at now: Int64) {
    if note.isWatched, let line = next(tally, at: now) { note.show(line) }
  }

  /// The next line; nil while its time has not come.
  mutating func next(_ tally: LoadTally, at now: Int64) -> String? {
    let time = now - shown.time
    guard time >= Self.interval else { return nil }
    let count = tally[.ok]
    let rate = Int((Double(count - shown.count) / (Double(time) / 1e9)).rounded())
    shown = (now, count)
    let failed = tally.failed > 0 ? ", \(tally.failed) failed" : ""
    return "\((now - start) / 1_000_000_000) s: \(rate)/s, \(count) ok\(failed)"
  }

  /// Takes the line away before the report.
  mutating func clear() { note.clear() }
}
