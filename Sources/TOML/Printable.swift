/// Text of a file as messages show it: one line, of characters that can be seen, shortened after 60 of them.
func printable(_ bytes: some Sequence<UInt8>) -> String {
  var shown = ""
  var count = 0
  for scalar in String(decoding: Array(bytes.prefix(4 * 61)), as: UTF8.self).unicodeScalars {
    count += 1
    if count > 60 { return shown + "..." }
    shown += scalar.isVisible ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
  }
  return shown
}

/// The name of a control character: `U+0000 (NUL)`.
func codePoint(_ byte: UInt8) -> String {
  switch byte {
  case 0: "U+0000 (NUL)"
  case .carriageReturn: "U+000D (a carriage return without a line feed)"
  default: Unicode.Scalar(byte).codePoint
  }
}

/// Text as a value: in quotes, or in apostrophes where that spares escapes.
func quoted(_ bytes: some Collection<UInt8>) -> String {
  let shown = printable(bytes)
  let needsEscapes = bytes.contains(.quote) || bytes.contains(.backslash)
  if !needsEscapes { return "\"\(shown)\"" }
  return bytes.contains(.apostrophe) ? "'''\(shown)'''" : "'\(shown)'"
}

extension Unicode.Scalar {
  var codePoint: String {
    let digits = String(value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }

  var isVisible: Bool {
    if isASCII { return (0x20...0x7e).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      return false
    default:
      return true
    }
  }

  /// A quotation mark of printed text, which word processors write instead of the ASCII ones.
  var isTypographicQuote: Bool {
    switch self {
    case "“", "”", "„", "‟", "«", "»", "‘", "’", "‚", "‛", "`", "´": true
    default: false
    }
  }
}

extension Cursor {
  /// The character at the cursor, nil at the end.
  var nextScalar: Unicode.Scalar? {
    String(decoding: bytes[offset...].prefix(4), as: UTF8.self).unicodeScalars.first
  }

  /// The character at the cursor, quoted for a message; by its number if it cannot be seen.
  var nextShown: String {
    guard let scalar = nextScalar else { return "the end of the file" }
    return scalar.isVisible ? (scalar == "\"" ? "'\"'" : "\"\(scalar)\"") : scalar.codePoint
  }

  /// What is wrong with a character that is wrong anywhere outside text.
  var misplacedCharacter: String? {
    guard let byte = next, let scalar = nextScalar else { return nil }
    if byte.isControl, !isAtLineEnd { return "\(codePoint(byte)) does not belong here; remove it" }
    if scalar.isTypographicQuote { return "write \" or ' for a quote, not \(scalar)" }
    if !scalar.isASCII, !scalar.isVisible { return "\(scalar.codePoint) cannot be seen; write an ordinary space" }
    if isComment { return "comments begin with #, not \(byte == .semicolon ? ";" : "//")" }
    return nil
  }

  private var isComment: Bool {
    next == .semicolon || (next == UInt8(ascii: "/") && byte(after: 1) == UInt8(ascii: "/"))
  }

  /// The rest of the line without the comment and the blanks at its end.
  var restWithoutComment: ArraySlice<UInt8> {
    var wasBlank = false
    let line = restOfLine { byte in
      defer { wasBlank = byte.isBlank }
      return byte == .numberSign && wasBlank
    }
    return line.trimmed
  }
}

extension ArraySlice<UInt8> {
  /// Without blanks at the end.
  var trimmed: ArraySlice<UInt8> {
    var rest = self
    while let last = rest.last, last.isBlank { rest = rest.dropLast() }
    return rest
  }
}
