import Glibc
import UnixIPC

/// Where the rows go, and on a terminal a line that says what is waited for.
struct SurveyTerminal {
  private let isWatched = StandardStream.errors.isTerminal
  /// Whether failures are red.
  let isColored = StandardStream.output.isTerminal && getenv("NO_COLOR") == nil
  private var hasNote = false

  mutating func show(_ rows: [String]) throws(CallFailure) {
    guard !rows.isEmpty else { return }
    clearNote()
    try StandardStream.say(rows.joined(separator: "\n"))
  }

  mutating func complain(_ line: String) {
    clearNote()
    StandardStream.complain(line)
  }

  /// Says whose answers are awaited, on a terminal only.
  mutating func note(waitingFor hosts: [String], until deadline: Deadline) {
    guard isWatched, let first = hosts.first, let left = deadline.left else { return }
    hasNote = true
    let others = hosts.count > 1 ? " and \(hosts.count - 1) more" : ""
    // A line that wraps could not be cleared.
    put(
      "\r\u{1b}[Kwaiting for \(first.prefix(40))\(others), \((left.nanoseconds + 999_999_999) / 1_000_000_000) s left")
  }

  mutating func clearNote() {
    if hasNote { put("\r\u{1b}[K") }
    hasNote = false
  }

  func red(_ text: String) -> String { isColored ? "\u{1b}[31m\(text)\u{1b}[0m" : text }

  private func put(_ text: String) { try? StandardStream.errors.write(text) }
}
