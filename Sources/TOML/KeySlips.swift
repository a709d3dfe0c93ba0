/// Messages about keys and headers.
extension Parser {
  /// No key begins at the cursor.
  func noKey(for use: KeyUse, isFirst: Bool) -> TOMLError {
    if use == .braces, cursor.isAtEnd || cursor.isAtLineEnd || cursor.next == .numberSign { return unclosedBracket() }
    if let message = cursor.misplacedCharacter { return cursor.fault(message) }
    switch cursor.next {
    case .quote, .apostrophe: return cursor.fault("a key stays on one line, between single quotes")
    case .dot: return cursor.fault("a part of the key is missing before this dot")
    case .leftBracket where use == .header:
      return cursor.fault("a header begins with one or two [, without blanks between")
    case .rightBrace where use == .braces: return cursor.fault("a comma must not precede }")
    case nil, .lineFeed, .carriageReturn, .numberSign, .rightBracket, .equalsSign, .comma: break
    case .colon, .leftBrace, .rightBrace, .leftBracket:
      return cursor.fault("a key cannot begin with \(cursor.nextShown)")
    default: return unquotedKey(from: cursor.offset, at: cursor.position)
    }
    if !isFirst { return cursor.fault("a part of the key is missing after the dot") }
    return use == .header
      ? cursor.fault("the table's name is missing after [")
      : cursor.fault("a key is missing before this \(cursor.nextShown)")
  }

  /// Something other than an equals sign follows a key and blanks.
  func noEqualsSign(after key: [TOMLKey]) -> TOMLError {
    let isAfterBlank = cursor.bytes[cursor.offset - 1].isBlank
    switch cursor.next {
    case nil, .lineFeed, .numberSign: return cursor.fault("= and a value are missing after the key")
    case .carriageReturn where cursor.isAtLineEnd: return cursor.fault("= and a value are missing after the key")
    case .colon: return cursor.fault("write = between key and value, not :")
    case .comma, .rightBrace: return cursor.fault("= and a value are missing before this \(cursor.nextShown)")
    case _ where !isAfterBlank && cursor.nextScalar?.isVisible ?? false:
      return characterInKey(key[key.count - 1])
    default: break
    }
    if let message = cursor.misplacedCharacter { return cursor.fault(message) }
    let rest = cursor.restWithoutComment
    let left = cursor.restOfLine(upTo: { $0 == .equalsSign }).trimmed
    let name = key.map(\.name).joined(separator: ".")
    if left.count < rest.count, left.allSatisfy({ $0.isBareKey || $0 == .space }) {
      return cursor.fault(
        "a key contains no spaces; write \(hyphenated(name))-\(hyphenated(String(decoding: left, as: UTF8.self)))")
    }
    let message = "= is missing between key and value"
    if rest.contains(.equalsSign) || !openBrackets.isEmpty { return cursor.fault(message) }
    return cursor.fault("\(message); write \(printable(name.utf8)) = \(asValue(rest))")
  }

  private func hyphenated(_ text: String) -> String { printable(text.utf8.map { $0 == .space ? .hyphen : $0 }) }

  /// Text as it would stand after an equals sign.
  private func asValue(_ text: ArraySlice<UInt8>) -> String {
    let isWord = text.first.map { $0.isLetter || $0 == UInt8(ascii: "/") } ?? false
    let isTruth = text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8)
    return isWord && !isTruth ? quoted(text) : printable(text)
  }

  /// A header's name is not followed by its closing brackets.
  func unclosedHeader(_ opening: TextPosition, isArray: Bool, path: [TOMLKey]) -> TOMLError {
    let (open, close) = isArray ? ("[[", "]]") : ("[", "]")
    switch cursor.next {
    case nil, .lineFeed, .carriageReturn, .numberSign, .equalsSign:
      return TOMLError(position: opening, message: "this \(open) is not closed; write \(close) after the table's name")
    case .rightBracket:
      return cursor.fault("]] closes what [[ opened, without blanks between")
    case let byte? where byte.isBareKey || byte == .quote || byte == .apostrophe:
      let name =
        path.map(\.name).joined(separator: ".") + "."
        + String(decoding: cursor.restOfLine(upTo: \.endsWord), as: UTF8.self)
      return cursor.fault("dots separate the parts of a name: \(open)\(printable(name.utf8))\(close)")
    default:
      return cursor.misplacedCharacter.map(cursor.fault) ?? characterInKey(path[path.count - 1])
    }
  }

  /// A character that only a quoted key may contain, after the beginning of a bare one.
  private func characterInKey(_ part: TOMLKey) -> TOMLError {
    let length = part.name.utf8.count
    let start = cursor.offset - length
    guard start >= 0, cursor.bytes[start..<cursor.offset].elementsEqual(part.name.utf8) else {
      return cursor.fault("\(cursor.nextShown) does not belong after a key")
    }
    return unquotedKey(from: start, at: cursor.position)
  }

  private func unquotedKey(from start: Int, at position: TextPosition) -> TOMLError {
    let text = cursor.bytes[start...].prefix { !$0.endsWord && $0 != .equalsSign && $0 != .colon && $0 != .quote }
    return TOMLError(
      position: position,
      message: "a key with characters other than A-Z a-z 0-9 - _ must be in quotes: \(quoted(text))")
  }
}
