import Glibc
@_spi(Begat) import UnixCore

/// Where the rows go, and on a terminal a line that says what is waited for.
struct SurveyTerminal {
  /// Whether failures are red.
  let isColored = StandardStream.output.isTerminal && getenv("NO_COLOR") == nil
  private var waiting = TerminalNote()

  mutating func show(_ rows: [String]) throws(SystemCallError) {
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
    guard let first = hosts.first, let left = deadline.remaining else { return }
    let others = hosts.count > 1 ? " and \(hosts.count - 1) more" : ""
    waiting.show("waiting for \(first.prefix(40))\(others), \((left.nanoseconds + 999_999_999) / 1_000_000_000) s left")
  }

  mutating func clearNote() { waiting.clear() }

  func red(_ text: String) -> String { isColored ? "\u{1b}[31m\(text)\u{1b}[0m" : text }
}
