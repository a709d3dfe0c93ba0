/// Bytes as users write them in a text: C's escapes, where a byte cannot be typed.
///
/// `\n \r \t \a \b \f \v \e \\ \0`, `\xHH` with two digits, and `\cX` for the Control key with X.
public enum ControlText {
  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  private static let letters: [UInt8: UInt8] = [
    UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09, UInt8(ascii: "a"): 0x07,
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c, UInt8(ascii: "v"): 0x0b, UInt8(ascii: "e"): 0x1b,
    UInt8(ascii: "\\"): 0x5c,
  ]

  public static func parse(_ text: String) throws(Problem) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      bytes.append(byte == UInt8(ascii: "\\") ? try escape(&rest) : byte)
    }
    return bytes
  }

  /// What stands behind a backslash.
  private static func escape(_ rest: inout ArraySlice<UInt8>) throws(Problem) -> UInt8 {
    guard let letter = rest.popFirst() else {
      throw Problem(description: "a backslash at the end: write \\\\ for one of its own")
    }
    if let byte = letters[letter] { return byte }
    switch letter {
    case UInt8(ascii: "0"):
      // C would take \033 for one byte.
      if let next = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
        throw Problem(description: "\\0 with a digit behind it: write \\xHH")
      }
      return 0
    case UInt8(ascii: "x"):
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.allSatisfy(isHexadecimal),
        let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      else { throw Problem(description: "\\x wants two hexadecimal digits") }
      rest = rest.dropFirst(2)
      return byte
    case UInt8(ascii: "c"):
      guard let key = rest.popFirst(), let byte = control(key) else {
        throw Problem(description: "\\c wants a letter or one of @[\\]^_?")
      }
      return byte
    case 0x21...0x7e:
      throw Problem(description: "\\\(Character(Unicode.Scalar(letter))) means nothing: write \\\\ for a backslash")
    default: throw Problem(description: "a backslash means nothing there: write \\\\ for one of its own")
    }
  }

  /// What a key sends with the Control key.
  static func control(_ key: UInt8) -> UInt8? {
    switch key {
    case UInt8(ascii: "?"): 0x7f
    case 0x40...0x5f, 0x61...0x7a: key & 0x1f
    default: nil
    }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
