/// A key of the user's.
enum Key: Hashable, Sendable {
  /// A printable ASCII character.
  case character(Character)
  /// With the Control key: `control("c")`.
  case control(Character)
  case enter, escape, backspace, tab
  case up, down, left, right, pageUp, pageDown, home, end
  /// One that is not known here.
  case other
}

/// Makes keys of the bytes that a terminal sends.
///
/// Source: ECMA-48, console_codes(4), ctlseqs of xterm.
struct KeyReader {
  private var begun: [UInt8] = []

  /// Whether the escape key was pressed, or one whose further bytes have not come yet.
  var isUndecided: Bool { !begun.isEmpty }

  private static let escape: UInt8 = 0x1b
  /// A sequence that is longer is none.
  private static let longest = 16

  /// The keys that are complete.
  mutating func take(_ bytes: some Sequence<UInt8>) -> [Key] {
    var rest = (begun + bytes)[...]
    begun = []
    var keys: [Key] = []
    while let first = rest.first {
      guard first == KeyReader.escape else {
        if let key = KeyReader.key(first) { keys.append(key) }
        rest = rest.dropFirst()
        continue
      }
      guard let length = KeyReader.length(rest) else {
        begun = Array(rest)
        break
      }
      keys.append(KeyReader.key(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return keys
  }

  /// No more bytes have come for a while: it was the escape key.
  mutating func finish() -> [Key] {
    defer { begun = [] }
    return begun.isEmpty ? [] : [.escape]
  }

  /// The bytes of the sequence at the beginning; nil if it is not complete.
  private static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
    let introducer = bytes.dropFirst().first
    switch introducer {
    case nil: return nil
    case UInt8(ascii: "O"): return bytes.count >= 3 ? 3 : nil
    case UInt8(ascii: "["):
      if let end = bytes.dropFirst(2).prefix(longest).firstIndex(where: { (0x40...0x7e).contains($0) }) {
        return end - bytes.startIndex + 1
      }
      return bytes.count > longest ? longest : nil
    // Pressed twice, or with another key.
    case escape: return 1
    default: return 2
    }
  }

  private static func key(_ sequence: ArraySlice<UInt8>) -> Key {
    switch String(decoding: sequence.dropFirst(), as: UTF8.self) {
    case "": .escape
    case "[A", "OA": .up
    case "[B", "OB": .down
    case "[C", "OC": .right
    case "[D", "OD": .left
    case "[H", "OH", "[1~", "[7~": .home
    case "[F", "OF", "[4~", "[8~": .end
    case "[5~": .pageUp
    case "[6~": .pageDown
    default: .other
    }
  }

  /// - Returns: nil for a byte of a character that is not ASCII.
  private static func key(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x09: .tab
    case 0x0a, 0x0d: .enter
    case 0x08, 0x7f: .backspace
    case 0x20...0x7e: .character(Character(Unicode.Scalar(byte)))
    case 0x01...0x1f: .control(Character(Unicode.Scalar(byte + 0x60)))
    default: nil
    }
  }
}
