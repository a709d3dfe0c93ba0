/// Reads TOML 1.0.
///
/// Source: toml.io/en/v1.0.0.
public enum TOMLParser {
  /// Arrays, tables in braces and parts of dotted keys or headers that may enclose one another.
  ///
  /// TOML has no limit; this one bounds the recursion, whatever the text.
  public static let maximumNesting = 64

  /// Parses a whole text; time and memory grow in proportion to its length.
  ///
  /// - Parameter bytes: any bytes; a byte order mark at the start is skipped.
  /// - Throws: the first fault, with its position. A text that is not UTF-8 anywhere is refused for that.
  public static func parse(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
    do throws(TOMLError) {
      try checkEncoding(bytes)
      var parser = Parser(cursor: Cursor(bytes))
      return try parser.parseDocument()
    } catch {
      throw foreignFile(bytes) ?? error
    }
  }
}

/// The state of parsing; each extension knows one part of the grammar.
struct Parser {
  /// A `[` or `{` that awaits its end.
  struct Bracket {
    let position: TextPosition
    let isArray: Bool
  }

  var cursor: Cursor
  var document = DocumentBuilder()
  var openBrackets: [Bracket] = []
  /// The levels of nesting at the cursor.
  var depth = 0

  mutating func parseDocument() throws(TOMLError) -> TOMLTable {
    while true {
      cursor.skipBlanks()
      var ending = LineContent.nothing
      switch cursor.next {
      case nil:
        return document.finished()
      case .lineFeed, .carriageReturn, .numberSign:
        break
      case .leftBracket:
        try parseHeader()
        ending = .header
      default:
        try parseAssignment()
        ending = .value(end: cursor.offset)
      }
      try parseLineEnd(after: ending)
    }
  }

  /// A key, an equals sign and a value.
  mutating func parseAssignment() throws(TOMLError) {
    let key = try parseKey(of: .assignment)
    try parseEqualsSign(after: key)
    let table = try document.table(for: key)
    try enter(document.depth + key.count - 1, at: key[0].position)
    let value = try parseValue()
    leave(document.depth + key.count - 1)
    table.add(key[key.count - 1], .value(value))
  }

  /// Counts levels of nesting, so that no text can exhaust the stack.
  mutating func enter(_ levels: Int, at position: TextPosition) throws(TOMLError) {
    depth += levels
    guard depth <= TOMLParser.maximumNesting else {
      throw TOMLError(position: position, message: "nested too deeply (\(TOMLParser.maximumNesting) levels at most)")
    }
  }

  mutating func leave(_ levels: Int) { depth -= levels }
}
