/// Messages about brackets that are not closed and commas that are missing.
extension Parser {
  /// The innermost bracket that is open at the cursor has no end.
  func unclosedBracket() -> TOMLError { unclosed(openBrackets[openBrackets.count - 1]) }

  private func unclosed(_ bracket: Bracket) -> TOMLError {
    TOMLError(
      position: bracket.position,
      message: bracket.isArray
        ? "this [ is never closed; write ] after the last value"
        : "this { is not closed on its line; write } after the last value, or make a table with a [header]")
  }

  /// Neither a comma nor the end of the innermost bracket is at the cursor.
  func noComma() -> TOMLError {
    let bracket = openBrackets[openBrackets.count - 1]
    if cursor.isAtEnd || (!bracket.isArray && (cursor.isAtLineEnd || cursor.next == .numberSign)) {
      return unclosed(bracket)
    }
    if bracket.isArray, cursor.isAtStatement { return unclosed(bracket) }
    if cursor.next == .semicolon {
      return cursor.fault("a comma separates values, not ;")
    }
    if let message = cursor.misplacedCharacter { return cursor.fault(message) }
    let close = bracket.isArray ? "]" : "}"
    let last = cursor.bytes[cursor.offset - 1]
    if last == .quote || last == .apostrophe, cursor.next?.isBareKey ?? false {
      return cursor.fault(textEnded(by: last))
    }
    switch cursor.next {
    case .rightBracket, .rightBrace:
      return cursor.fault("\(close) is missing before this \(cursor.nextShown)")
    case let byte?
    where byte.isBareKey || byte == .quote || byte == .apostrophe || byte == .leftBracket || byte == .leftBrace:
      return cursor.fault("a comma is missing before this \(bracket.isArray ? "value" : "key")")
    default:
      return cursor.fault("\(cursor.nextShown) found where a comma or \(close) belongs")
    }
  }

  /// An array that should have ended before the word at `start`, which begins a key or stands in a header.
  func bracketBefore(statementAt start: Cursor) -> TOMLError? {
    guard let innermost = openBrackets.last, innermost.isArray else { return nil }
    if start.isAtStatement { return unclosed(innermost) }
    let headers = openBrackets.reversed().prefix {
      $0.isArray && $0.position.line == start.position.line
    }
    guard !headers.isEmpty, headers.count < openBrackets.count, start.isInHeader else { return nil }
    return unclosed(openBrackets[openBrackets.count - headers.count - 1])
  }
}

extension Cursor {
  /// At a bare key and an equals sign, or at a header that begins its line.
  var isAtStatement: Bool {
    var ahead = self
    if next == .leftBracket {
      guard isFirstOfLine else { return false }
      while ahead.take(.leftBracket) {}
      return ahead.isInHeader
    }
    guard next?.isBareKey ?? false else { return false }
    ahead.skip { $0.isBareKey || $0 == .dot }
    ahead.skipBlanks()
    return ahead.next == .equalsSign
  }

  /// At the name in brackets that are alone on their line.
  fileprivate var isInHeader: Bool {
    guard next?.isLetter ?? false else { return false }
    var beginning = offset
    while beginning > 0, bytes[beginning - 1] == .leftBracket { beginning -= 1 }
    guard beginning < offset, isFirst(at: beginning) else { return false }
    let line = restWithoutComment
    let name = line.prefix { $0.isBareKey || $0 == .dot }
    return line.dropFirst(name.count).allSatisfy { $0 == .rightBracket } && line.last == .rightBracket
  }

  private var isFirstOfLine: Bool { isFirst(at: offset) }

  private func isFirst(at place: Int) -> Bool {
    bytes[..<place].last { !$0.isBlank }.map { $0 == .lineFeed } ?? true
  }
}
