@_spi(Begat) import UnixCore

/// The result of an expectation.
///
/// Another program chose the bytes.  ``untrusted``, ``untrustedBefore`` and ``untrustedCapture(_:)`` have them in the form
/// that the compiler keeps from becoming a text, a number or a path before a check.
public struct ConversationMatch: Hashable, Sendable {
  /// The number of the pattern that was found, from 0.
  public let index: Int
  /// The bytes that the pattern matched; empty for the end of the file and the deadline.
  public let bytes: [UInt8]
  /// The bytes that came before the match, since the end of the last one.  At the deadline, all that waits; it is not
  /// taken out.
  public let before: [UInt8]
  /// The regex's groups from 1 on; nil for one that took no part in the match.
  public let captures: [[UInt8]?]

  /// The match as text, with U+FFFD for bytes that are not valid UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
  /// The bytes before the match as text, with U+FFFD for bytes that are not valid UTF-8.
  public var textBefore: String { String(decoding: before, as: UTF8.self) }
  /// The text of a group, numbered from 1; nil if there is none.
  public func capture(_ number: Int) -> String? {
    guard number > 0, captures.indices.contains(number - 1) else { return nil }
    return captures[number - 1].map { String(decoding: $0, as: UTF8.self) }
  }

  /// The match, which must be checked before use.
  public var untrusted: UntrustedBytes { UntrustedBytes(bytes) }
  /// The bytes before the match, which must be checked before use.
  public var untrustedBefore: UntrustedBytes { UntrustedBytes(before) }
  /// A group, numbered from 1, which must be checked before use; nil if there is none.
  public func untrustedCapture(_ number: Int) -> UntrustedBytes? {
    guard number > 0, captures.indices.contains(number - 1) else { return nil }
    return captures[number - 1].map { UntrustedBytes($0) }
  }
}
