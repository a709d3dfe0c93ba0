@_spi(Begat) import UnixCore

/// A header that is sent with every request, as it was typed: `Name: value`.
public struct RequestHeader: Hashable, Sendable {
  public let name: String
  public let value: String

  /// - Returns: nil where it is none, or has a line's end or another control character in it.
  ///
  /// Source: RFC 9110 §5.1, §5.5.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    guard colon != text.startIndex, text[..<colon].utf8.allSatisfy(Self.tokenCharacters.contains),
      value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") })
    else { return nil }
    name = String(text[..<colon])
    self.value = String(value)
  }

  private static let tokenCharacters = ASCIISet.letters.union(.digits).union("!#$%&'*+-.^_`|~")

  var asksForPart: Bool { name.lowercased() == "range" && !value.isEmpty }

  /// As the library wants it: for it, a colon without a value means that its own header of that name is left out.
  var text: String { value.isEmpty ? "\(name);" : "\(name): \(value)" }
}
