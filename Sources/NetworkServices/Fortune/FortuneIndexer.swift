/// Finds the entries of a fortune text: those parts between lines that are exactly the delimiter which are not empty.
///
/// Source: strfile(8).
struct FortuneIndexer {
  /// An entry's place in its text, in bytes; the newline before the delimiter line belongs to it.
  struct Span: Hashable {
    var start: Int
    var length: Int
    /// With CRLF at every line's end, the last one's too.
    var sentLength: Int
  }

  let delimiter: UInt8

  /// Calls `body` for each entry in turn.
  func forEach(in text: UnsafeRawBufferPointer, _ body: (Span) -> Void) {
    var start = 0
    var lineStart = 0
    var bareNewlines = 0
    var isBlank = true

    func finish(at end: Int) {
      guard !isBlank else { return }
      let missing = text[end - 1] == UInt8(ascii: "\n") ? 0 : 2
      body(Span(start: start, length: end - start, sentLength: end - start + bareNewlines + missing))
    }

    for position in text.indices {
      let byte = text[position]
      guard byte == UInt8(ascii: "\n") else {
        if byte > UInt8(ascii: " ") { markVisible(byte, at: position, lineStart: lineStart, text: text, &isBlank) }
        continue
      }
      if position == lineStart + 1, text[lineStart] == delimiter {
        finish(at: lineStart)
        start = position + 1
        bareNewlines = 0
        isBlank = true
      } else if position == 0 || text[position - 1] != UInt8(ascii: "\r") {
        bareNewlines += 1
      }
      lineStart = position + 1
    }
    // A last line that is the delimiter without a newline ends the last entry all the same.
    let endsInDelimiter = lineStart == text.count - 1 && text[lineStart] == delimiter
    finish(at: endsInDelimiter ? lineStart : text.count)
  }

  /// A delimiter line does not make the entry before it visible.
  private func markVisible(
    _ byte: UInt8, at position: Int, lineStart: Int, text: UnsafeRawBufferPointer, _ isBlank: inout Bool
  ) {
    let isDelimiterLine =
      byte == delimiter && position == lineStart
      && (position + 1 == text.count || text[position + 1] == UInt8(ascii: "\n"))
    if !isDelimiterLine { isBlank = false }
  }
}
