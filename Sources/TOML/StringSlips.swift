/// Messages about text in quotes.
extension Parser {
  /// The line ends before the quote at `opening` is closed.
  func unclosedQuote(_ opening: Cursor, endsInEscapedQuote: Bool) -> TOMLError {
    guard opening.next == .quote else {
      return opening.fault(
        "this ' is not closed on its line; write ' at the end of the text, or ''' around several lines")
    }
    return endsInEscapedQuote
      ? opening.fault(
        "this \" is not closed: \\\" is a quote within the text; write '...', where \\ is itself, or \\\\")
      : opening.fault(
        "this \" is not closed on its line; write \" at the end of the text, or \"\"\" around several lines")
  }

  /// The file ends before the three quotes at `opening` are closed.
  func unclosedLongQuote(_ opening: Cursor) -> TOMLError {
    let quotes = opening.next == .quote ? "\"\"\"" : "'''"
    return opening.fault("this \(quotes) is never closed; write \(quotes) at the end of the text")
  }

  /// A quote within text ended it.
  func textEnded(by quote: UInt8) -> String {
    quote == .quote
      ? "the text ended at the quote before this; write \\\" for a quote within it"
      : "the text ended at the ' before this; put text that contains ' between \"...\""
  }

  /// A control character at the cursor, within text.
  func controlInText(_ byte: UInt8) -> TOMLError {
    let digits = String(0x10000 | UInt32(byte), radix: 16).dropFirst()
    return cursor.fault(
      "text cannot contain \(codePoint(byte)) itself; write \\u\(digits) between \"...\""
    )
  }

  func unknownEscape(_ start: Cursor) -> TOMLError {
    var letter = start
    letter.advance()
    let shown = letter.nextScalar.map { $0.isVisible && $0 != " " ? "\\\($0)" : "\\ before \($0.codePoint)" } ?? "\\"
    return start.fault(
      "\(shown) is no escape; write \\\\ for a backslash, or put the text between '...', where \\ is itself")
  }
}
