/// Text between quotes, in which a backslash begins an escape.
///
/// Source: toml.io/en/v1.0.0, "String".
extension Parser {
  mutating func parseString() throws(TOMLError) -> String {
    switch (cursor.next == .quote, cursor.isAt(cursor.next ?? 0, times: 3)) {
    case (true, false): try parseBasicString()
    case (true, true): try parseLongBasicString()
    case (false, false): try parseLiteralString()
    case (false, true): try parseLongLiteralString()
    }
  }

  mutating func parseBasicString() throws(TOMLError) -> String {
    let opening = cursor
    var endsInEscapedQuote = false
    var text: [UInt8] = []
    cursor.advance()
    while let byte = cursor.next, !cursor.isAtLineEnd {
      switch byte {
      case .quote:
        cursor.advance()
        return String(decoding: text, as: UTF8.self)
      case .backslash:
        endsInEscapedQuote = cursor.byte(after: 1) == .quote
        try parseEscape(into: &text)
      default:
        if !byte.isBlank { endsInEscapedQuote = false }
        try takeOrdinary(byte, into: &text)
      }
    }
    throw unclosedQuote(opening, endsInEscapedQuote: endsInEscapedQuote)
  }

  /// Text between `"""`, of any number of lines.
  private mutating func parseLongBasicString() throws(TOMLError) -> String {
    let opening = cursor
    var text: [UInt8] = []
    skipLongOpening()
    while let byte = cursor.next {
      switch byte {
      case .quote where cursor.isAt(.quote, times: 3):
        takeLongClosing(.quote, into: &text)
        return String(decoding: text, as: UTF8.self)
      case .backslash where isAtLineContinuation:
        cursor.advance()
        skipBlanksAndLineEnds()
      case .backslash:
        try parseEscape(into: &text)
      default:
        try takeOrdinaryOrLineEnd(byte, into: &text)
      }
    }
    throw unclosedLongQuote(opening)
  }

  /// At a backslash after which the line ends, except for blanks.
  private var isAtLineContinuation: Bool {
    var ahead = cursor
    ahead.advance()
    ahead.skipBlanks()
    return ahead.isAtLineEnd
  }

  private mutating func skipBlanksAndLineEnds() {
    cursor.skipBlanks()
    while cursor.isAtLineEnd {
      cursor.skipLineEnd()
      cursor.skipBlanks()
    }
  }

  // What the kinds of text have in common.

  mutating func takeOrdinary(_ byte: UInt8, into text: inout [UInt8]) throws(TOMLError) {
    if byte.isControl { throw controlInText(byte) }
    text.append(byte)
    cursor.advance()
  }

  /// A line end becomes a line feed, however it was written.
  mutating func takeOrdinaryOrLineEnd(_ byte: UInt8, into text: inout [UInt8]) throws(TOMLError) {
    guard cursor.isAtLineEnd else { return try takeOrdinary(byte, into: &text) }
    text.append(.lineFeed)
    cursor.skipLineEnd()
  }

  /// Three quotes, and the line end that may follow them immediately.
  mutating func skipLongOpening() {
    cursor.advance(by: 3)
    if cursor.isAtLineEnd { cursor.skipLineEnd() }
  }

  /// Up to two quotes that belong to the text, and the three that end it.
  mutating func takeLongClosing(_ quote: UInt8, into text: inout [UInt8]) {
    cursor.advance(by: 3)
    for _ in 0..<2 where cursor.take(quote) { text.append(quote) }
  }
}
