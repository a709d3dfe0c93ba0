/// Messages about what was written where a value belongs.
extension Parser {
  /// The word at `start` is no value.
  func noValue(at start: Cursor, word: ArraySlice<UInt8>) -> TOMLError {
    if let unclosed = bracketBefore(statementAt: start) { return unclosed }
    if let message = start.misplacedCharacter { return start.fault(message) }
    var control = start
    control.skip { !$0.isControl && !$0.endsWord }
    if let message = control.next?.isControl ?? false ? control.misplacedCharacter : nil {
      return control.fault(message)
    }
    switch start.next {
    case nil, .lineFeed, .carriageReturn, .numberSign: return start.fault("a value is missing after =")
    case .equalsSign: return start.fault("one = is enough")
    case .comma, .rightBracket, .rightBrace: return start.fault("a value is missing before this \(start.nextShown)")
    default: return start.fault(slip(of: intendedText(at: start), word: word))
    }
  }

  /// What was probably meant as text: the rest of the line, or what ends before a comma or bracket.
  private func intendedText(at start: Cursor) -> ArraySlice<UInt8> {
    var text =
      openBrackets.isEmpty
      ? start.restWithoutComment : start.restOfLine { $0.endsWord && !$0.isBlank }.trimmed
    if text.count > 1, text.last == .comma || text.last == .semicolon { text = text.dropLast() }
    // The opening quote was forgotten.
    if text.count > 1, let last = text.last, last == .quote || last == .apostrophe,
      text.firstIndex(of: last) == text.endIndex - 1
    {
      text = text.dropLast()
    }
    return text
  }

  private func slip(of text: ArraySlice<UInt8>, word: ArraySlice<UInt8>) -> String {
    let small = String(decoding: text.prefix(10), as: UTF8.self).lowercased()
    switch small {
    case "true", "false", "yes", "no", "on", "off": return "write true or false, not \(printable(text))"
    case "null", "nil": return "TOML has no \(printable(text)); leave the key out"
    case "inf", "+inf", "-inf", "nan", "+nan", "-nan": return "write \(small) in small letters"
    default: break
    }
    if DateReader.beginsDate(word) || DateReader.beginsTime(word) {
      return "no date or time such as 1979-05-27T07:32:00Z or 07:32:00; text stands in quotes: \(quoted(text))"
    }
    if text.elementsEqual(word), let slip = numberSlip(of: word) { return slip }
    return "text stands in quotes: \(quoted(text))"
  }

  /// Something other than a comment follows on the line of a value or a header.
  func misplaced(after content: LineContent) -> TOMLError {
    if let byte = cursor.next, byte == .comma || byte == .semicolon, cursor.restWithoutComment.count == 1 {
      return cursor.fault("a line does not end with \(cursor.nextShown)")
    }
    if let message = cursor.misplacedCharacter { return cursor.fault(message) }
    guard case .value(let end) = content else {
      return cursor.fault(
        cursor.next == .rightBracket
          ? "one ] too many after the table's name"
          : "only a comment may follow a header; write keys on lines of their own")
    }
    let last = cursor.bytes[end - 1]
    switch cursor.next {
    case .rightBracket, .rightBrace:
      return cursor.fault("nothing is open that this \(cursor.nextShown) could close")
    case _ where end == cursor.offset && (last == .quote || last == .apostrophe):
      return cursor.fault(textEnded(by: last))
    case _ where cursor.isAtStatement:
      return cursor.fault("a key needs a line of its own")
    case .comma, .quote, .apostrophe:
      return cursor.fault("several values need brackets: [\"a\", \"b\"]")
    case _ where last.isBareKey:
      return cursor.fault("only a comment may follow a value; text with spaces stands in quotes")
    default:
      return cursor.fault("only a comment may follow a value; found \(cursor.nextShown)")
    }
  }
}
