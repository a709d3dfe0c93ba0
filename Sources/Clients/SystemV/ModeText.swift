import Glibc

/// Permissions as users write them: `600`, `0660`.
public enum ModeText {
  /// Reads three octal digits, which a 0 may precede; nil for anything else.
  public static func parse(_ text: String) -> mode_t? {
    let digits = text.utf8.count == 4 && text.hasPrefix("0") ? text.dropFirst() : text[...]
    let isOctal = digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
    return digits.utf8.count == 3 && isOctal ? mode_t(digits, radix: 8) : nil
  }
}
