@_spi(Begat) import UnixCore

/// Makes a stream of bytes fit for a terminal, piece by piece: text, tabs and ends of line stay, everything else that
/// could steer the terminal becomes `\xHH`.
///
/// Text is UTF-8 without control characters.  CRLF is an end of line.
struct TerminalText {
  /// The beginning of a character, or a CR, whose rest is in the next piece.
  private var begun: [UInt8] = []
  /// Whether nothing, or an end of line, was the last.
  private(set) var isAtLineStart = true

  mutating func shown(_ bytes: some Sequence<UInt8>) -> String {
    let all = begun + bytes
    let end = all.count - Self.begunCount(at: all[...])
    begun = Array(all[end...])
    return text(all[..<end])
  }

  /// What was begun and has no rest.
  mutating func finish() -> String {
    defer { begun = [] }
    return text(begun[...])
  }

  private mutating func text(_ bytes: ArraySlice<UInt8>) -> String {
    var text = ""
    var rest = bytes
    while let byte = rest.first {
      let length = byte.utf8Length
      if byte == UInt8(ascii: "\r"), rest.dropFirst().first == UInt8(ascii: "\n") {
        rest = rest.dropFirst()
      } else if let character = String(validating: rest.prefix(length), as: UTF8.self),
        character.unicodeScalars.count == 1, character.unicodeScalars.allSatisfy(Self.isHarmless)
      {
        text += character
        rest = rest.dropFirst(length)
      } else {
        text += escaped(CollectionOfOne(byte), doublingBackslashes: false)
        rest = rest.dropFirst()
      }
    }
    if let last = text.utf8.last { isAtLineStart = last == UInt8(ascii: "\n") }
    return text
  }

  /// No C0 or C1 control character, and none that turns the direction of writing round.
  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    // What joins letters and what keeps them apart steer nothing.
    if ["\n", "\t", "\u{200C}", "\u{200D}"].contains(scalar) { return true }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
    default: true
    }
  }

  /// How many bytes at the end may go on in the next piece.
  private static func begunCount(at bytes: ArraySlice<UInt8>) -> Int {
    if bytes.last == UInt8(ascii: "\r") { return 1 }
    for count in 1...3 where count <= bytes.count {
      let length = bytes[bytes.endIndex - count].utf8Length
      if length > 1 { return length > count ? count : 0 }
      if length == 1 { return 0 }
    }
    return 0
  }
}
