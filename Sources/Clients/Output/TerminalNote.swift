import Settings

/// A line on a terminal that says what is waited for, and goes away again; elsewhere nothing.
struct TerminalNote {
  let isWatched = StandardStream.errors.isTerminal
  private var isShown = false

  /// Replaces the note that is there.
  ///
  /// - Parameter text: printable, and short: a line that wraps could not be cleared.
  mutating func show(_ text: String) {
    guard isWatched else { return }
    isShown = true
    put("\r\u{1b}[K\(text)")
  }

  /// Before anything else is written to the terminal.
  mutating func clear() {
    if isShown { put("\r\u{1b}[K") }
    isShown = false
  }

  private func put(_ text: String) { try? StandardStream.errors.write(text) }
}
