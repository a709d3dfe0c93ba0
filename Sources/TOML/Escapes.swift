/// Escapes of text between quotes.
///
/// Source: toml.io/en/v1.0.0, "String".
extension Parser {
  /// Reads the escape at the cursor and appends what it stands for.
  mutating func parseEscape(into text: inout [UInt8]) throws(TOMLError) {
    let start = cursor
    cursor.advance()
    guard let letter = cursor.next else { return }  // the text ends without its closing quote
    switch letter {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(.tab)
    case UInt8(ascii: "n"): text.append(.lineFeed)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(.carriageReturn)
    case .quote, .backslash: text.append(letter)
    case UInt8(ascii: "u"): return try parseScalar(digits: 4, from: start, into: &text)
    case UInt8(ascii: "U"): return try parseScalar(digits: 8, from: start, into: &text)
    default: throw unknownEscape(start)
    }
    cursor.advance()
  }

  private mutating func parseScalar(digits: Int, from start: Cursor, into text: inout [UInt8]) throws(TOMLError) {
    cursor.advance()
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = cursor.next?.digitValue else {
        throw start.fault(
          "\(digits) hexadecimal digits follow \\\(digits == 4 ? "u" : "U"), as in \(scalarExample(digits))")
      }
      value = value << 4 | UInt32(digit)
      cursor.advance()
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw start.fault("\(printable(cursor.bytes(from: start.offset))) is no character of Unicode")
    }
    text.append(contentsOf: UTF8.encode(scalar)!)
  }

  private func scalarExample(_ digits: Int) -> String { digits == 4 ? "\\u00e9" : "\\U0001f600" }
}
