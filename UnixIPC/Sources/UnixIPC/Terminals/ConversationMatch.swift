@_spi(Begat) import UnixCore

/// What came of an expectation.
public struct ConversationMatch: Hashable, Sendable {
  /// Which of the alternatives, from 0.
  public let index: Int
  /// What it matched; empty for end of file and time-out.
  public let bytes: [UInt8]
  /// What came before it, from the end of the last match on.  At a time-out, all that waits, which stays there.
  public let before: [UInt8]
  /// The regex's groups from 1 on; nil for one that took no part.
  public let captures: [[UInt8]?]

  /// As text, with U+FFFD for what is not valid UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
  public var textBefore: String { String(decoding: before, as: UTF8.self) }
  /// The `number`th group, from 1; nil where there is none.
  public func capture(_ number: Int) -> String? {
    guard captures.indices.contains(number - 1) else { return nil }
    return captures[number - 1].map { String(decoding: $0, as: UTF8.self) }
  }
}
