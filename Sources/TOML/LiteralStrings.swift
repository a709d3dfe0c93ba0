/// Text between apostrophes, in which a backslash is a backslash.
///
/// Source: toml.io/en/v1.0.0, "String".
extension Parser {
  mutating func parseLiteralString() throws(TOMLError) -> String {
    let opening = cursor
    var text: [UInt8] = []
    cursor.advance()
    while let byte = cursor.next, !cursor.isAtLineEnd {
      if cursor.take(.apostrophe) { return String(decoding: text, as: UTF8.self) }
      try takeOrdinary(byte, into: &text)
    }
    throw unclosedQuote(opening, endsInEscapedQuote: false)
  }

  /// Text between `'''`, of any number of lines.
  mutating func parseLongLiteralString() throws(TOMLError) -> String {
    let opening = cursor
    var text: [UInt8] = []
    skipLongOpening()
    while let byte = cursor.next {
      if cursor.isAt(.apostrophe, times: 3) {
        takeLongClosing(.apostrophe, into: &text)
        return String(decoding: text, as: UTF8.self)
      }
      try takeOrdinaryOrLineEnd(byte, into: &text)
    }
    throw unclosedLongQuote(opening)
  }
}
