/// What a line held before its end, for the message when something follows that.
enum LineContent {
  case nothing
  case header
  /// The offset at which the value ended.
  case value(end: Int)
}

extension Parser {
  /// Blanks, a comment, and the end of the line or of the text.
  mutating func parseLineEnd(after content: LineContent) throws(TOMLError) {
    cursor.skipBlanks()
    if cursor.next == .numberSign { try parseComment() }
    if cursor.isAtEnd { return }
    guard cursor.isAtLineEnd else { throw misplaced(after: content) }
    cursor.skipLineEnd()
  }

  /// A comment up to the end of its line.
  ///
  /// Source: toml.io/en/v1.0.0, "Comment".
  private mutating func parseComment() throws(TOMLError) {
    cursor.skip { !$0.isControl }
    if let byte = cursor.next, !cursor.isAtLineEnd {
      throw cursor.fault("a comment cannot contain \(codePoint(byte)); remove it")
    }
  }

  /// Blanks, comments and line ends between the values of an array.
  mutating func skipBlankLines() throws(TOMLError) {
    while true {
      cursor.skipBlanks()
      if cursor.next == .numberSign { try parseComment() }
      guard cursor.isAtLineEnd else { return }
      cursor.skipLineEnd()
    }
  }
}
