extension Parser {
  /// What a key is for, as far as messages differ.
  enum KeyUse { case assignment, header, braces }

  /// A key of one or more parts with dots between them.
  ///
  /// Source: toml.io/en/v1.0.0, "Keys".
  mutating func parseKey(of use: KeyUse) throws(TOMLError) -> [TOMLKey] {
    var parts: [TOMLKey] = []
    while true {
      let position = cursor.position
      parts.append(TOMLKey(name: try parseKeyPart(of: use, isFirst: parts.isEmpty), position: position))
      if parts.count > TOMLParser.maximumNesting { try enter(parts.count, at: parts[0].position) }
      cursor.skipBlanks()
      guard cursor.take(.dot) else { return parts }
      cursor.skipBlanks()
    }
  }

  private mutating func parseKeyPart(of use: KeyUse, isFirst: Bool) throws(TOMLError) -> String {
    switch cursor.next {
    case .quote where !cursor.isAt(.quote, times: 3):
      return try parseBasicString()
    case .apostrophe where !cursor.isAt(.apostrophe, times: 3):
      return try parseLiteralString()
    case let byte? where byte.isBareKey:
      let start = cursor.offset
      cursor.skip(while: \.isBareKey)
      return String(decoding: cursor.bytes(from: start), as: UTF8.self)
    default:
      throw noKey(for: use, isFirst: isFirst)
    }
  }

  /// The equals sign after a key, with the blanks around it.
  mutating func parseEqualsSign(after key: [TOMLKey]) throws(TOMLError) {
    guard cursor.take(.equalsSign) else { throw noEqualsSign(after: key) }
    cursor.skipBlanks()
  }

  /// A table's header, `[a.b]` or `[[a.b]]`.
  ///
  /// Source: toml.io/en/v1.0.0, "Table" and "Array of Tables".
  mutating func parseHeader() throws(TOMLError) {
    let opening = cursor.position
    cursor.advance()
    let isArray = cursor.take(.leftBracket)
    cursor.skipBlanks()
    let path = try parseKey(of: .header)
    guard cursor.isAt(.rightBracket, times: isArray ? 2 : 1) else {
      throw unclosedHeader(opening, isArray: isArray, path: path)
    }
    cursor.advance(by: isArray ? 2 : 1)
    if isArray { try document.appendTable(at: path) } else { try document.openTable(at: path) }
  }
}
