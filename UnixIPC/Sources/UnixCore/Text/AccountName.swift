/// A user, and perhaps a group, as text: `USER` or `USER:GROUP`, each a name or a number.
///
/// Source: chown(1).
@_spi(Begat) public struct AccountName: Hashable, Sendable {
  /// The part that stands for a user.
  public let user: String
  /// The part that stands for a group; nil if there is none.
  public let group: String?

  /// Parts the text; nil if it has an empty part, or more than two.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    user = String(parts[0])
    group = parts.count == 2 ? String(parts[1]) : nil
  }

  /// The number that a text of decimal digits means; nil for anything else, and for the number that means "unchanged".
  public static func number(_ text: String) -> UInt32? { UInt32(decimal: text).flatMap { $0 == .max ? nil : $0 } }
}
