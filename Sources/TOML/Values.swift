extension Parser {
  /// A value of any type.
  ///
  /// Source: toml.io/en/v1.0.0, "Key/Value Pair".
  mutating func parseValue() throws(TOMLError) -> TOMLValue {
    let position = cursor.position
    let content: TOMLValue.Content =
      switch cursor.next {
      case .quote, .apostrophe: .string(try parseString())
      case .leftBracket: .array(try parseArray())
      case .leftBrace: .table(try parseBraces())
      default: try parseWord()
      }
    return TOMLValue(position: position, content: content)
  }

  /// A truth value, a number or a date: what has no quotes or brackets around it.
  private mutating func parseWord() throws(TOMLError) -> TOMLValue.Content {
    let start = cursor
    cursor.skip { !$0.endsWord }
    let word = cursor.bytes(from: start.offset)
    switch word.first {
    case UInt8(ascii: "t") where word.elementsEqual("true".utf8): return .boolean(true)
    case UInt8(ascii: "f") where word.elementsEqual("false".utf8): return .boolean(false)
    case let byte? where byte.isDigit && (DateReader.beginsDate(word) || DateReader.beginsTime(word)):
      if let date = parseDate(from: start) { return .date(date) }
    case let byte? where byte.isDigit || byte == .plus || byte == .hyphen || byte.isLetter:
      if let number = NumberReader(word).read() { return number }
    default: break
    }
    throw noValue(at: start, word: word)
  }

  /// A space may stand between date and time.
  private mutating func parseDate(from start: Cursor) -> TOMLDate? {
    let isDateAlone = cursor.offset - start.offset == "1979-05-27".utf8.count
    if isDateAlone, cursor.next == .space, cursor.byte(after: 1)?.isDigit ?? false {
      cursor.advance()
      cursor.skip { !$0.endsWord }
    }
    return DateReader.read(cursor.bytes(from: start.offset))
  }

  /// An array, of one line or many.
  ///
  /// Source: toml.io/en/v1.0.0, "Array".
  private mutating func parseArray() throws(TOMLError) -> [TOMLValue] {
    try openBracket(isArray: true)
    var values: [TOMLValue] = []
    try skipBlankLines()
    while !cursor.take(.rightBracket) {
      if cursor.isAtEnd { throw unclosedBracket() }
      values.append(try parseValue())
      try skipBlankLines()
      if cursor.take(.comma) {
        try skipBlankLines()
      } else if cursor.next != .rightBracket {
        throw noComma()
      }
    }
    closeBracket()
    return values
  }

  /// A table in braces, on one line.
  ///
  /// Source: toml.io/en/v1.0.0, "Inline Table".
  private mutating func parseBraces() throws(TOMLError) -> TOMLTable {
    let table = TableNode(position: cursor.position, origin: .braces)
    try openBracket(isArray: false)
    cursor.skipBlanks()
    if !cursor.take(.rightBrace) {
      repeat {
        cursor.skipBlanks()
        try parseEntry(of: table)
        cursor.skipBlanks()
      } while cursor.take(.comma)
      guard cursor.take(.rightBrace) else { throw noComma() }
    }
    closeBracket()
    return table.finished()
  }

  private mutating func parseEntry(of table: TableNode) throws(TOMLError) {
    let key = try parseKey(of: .braces)
    try parseEqualsSign(after: key)
    let parent = try table.table(for: key, section: 0)
    try enter(key.count - 1, at: key[0].position)
    let value = try parseValue()
    leave(key.count - 1)
    parent.add(key[key.count - 1], .value(value))
  }

  private mutating func openBracket(isArray: Bool) throws(TOMLError) {
    try enter(1, at: cursor.position)
    openBrackets.append(Bracket(position: cursor.position, isArray: isArray))
    cursor.advance()
  }

  private mutating func closeBracket() {
    openBrackets.removeLast()
    leave(1)
  }
}
