/// A set of ASCII characters: those that a word may consist of, or that separate fields.
///
/// A literal contains the characters themselves, without ranges: `.letters.union(.digits).union("._-")`.
public struct ASCIISet: Hashable, Sendable {
  /// One bit for each of 64 bytes.
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  /// `A` to `Z` and `a` to `z`.
  public static let letters: ASCIISet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  /// `0` to `9`.
  public static let digits: ASCIISet = "0123456789"
  /// perl's `\w`, within ASCII: letters, digits and the underscore.
  public static let wordCharacters = letters.union(digits).union("_")

  /// Whether the byte is a character of the set.
  public func contains(_ byte: UInt8) -> Bool {
    byte < 128 && (byte < 64 ? low : high) & (1 << UInt64(byte & 63)) != 0
  }

  /// The characters of both sets.
  public func union(_ other: ASCIISet) -> ASCIISet {
    var union = self
    union.low |= other.low
    union.high |= other.high
    return union
  }
}

extension ASCIISet: ExpressibleByStringLiteral {
  /// The set of the literal's characters.
  ///
  /// - Precondition: all of them are ASCII.
  public init(stringLiteral characters: String) {
    for byte in characters.utf8 {
      precondition(byte < 128, "not ASCII: \(characters)")
      if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
    }
  }
}
