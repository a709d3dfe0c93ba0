/// The key that takes the terminal back from a program: `^]`, one character, or `none`.
public struct EscapeKey: Hashable, Sendable {
  /// Nil where no key does.
  public let byte: UInt8?

  /// Ctrl-], as telnet(1) has it.
  public static let standard = EscapeKey(byte: 0x1d)

  /// As a user presses it; nil where no key does.
  public var name: String? {
    byte.map { $0 < 0x20 ? "Ctrl-\(Character(UnicodeScalar($0 + 0x40)))" : String(UnicodeScalar($0)) }
  }

  private init(byte: UInt8?) { self.byte = byte }

  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    if text == "none" {
      self.init(byte: nil)
    } else if bytes.count == 1, bytes[0] < 0x80 {
      self.init(byte: bytes[0])
    } else if bytes.count == 2, bytes[0] == UInt8(ascii: "^"), let byte = ControlText.control(bytes[1]) {
      self.init(byte: byte)
    } else {
      return nil
    }
  }
}
