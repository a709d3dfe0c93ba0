extension UntrustedBytes {
  /// What keeps bytes from being what a check is for.
  ///
  /// Its description is fit for a log: `"x23y": not a number in digits`, one line of printable ASCII, of the bytes at
  /// most 80 as they are escaped.
  public struct Refusal: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
      case empty
      /// In bytes.
      case tooLong(limit: Int)
      case notUTF8
      case notDigits
      /// A number beyond the bounds.
      case outside(lowest: String, highest: String)
      case otherCharacters
      case controlCharacter
      case containsNUL
      case beginsWithHyphen
      case beginsWithDot
      case containsSlash
      case absolute
      /// `..`
      case leavesDirectory
      /// Two slashes with nothing between them, or one at the end.
      case emptyName
      /// One's own rule did not accept it.
      case refusedByRule
    }

    public let reason: Reason
    public let bytes: UntrustedBytes

    init(_ reason: Reason, of bytes: UntrustedBytes) {
      self.reason = reason
      self.bytes = bytes
    }
  }
}

extension UntrustedBytes.Refusal: CustomStringConvertible {
  private static let shown = 80

  public var description: String {
    let rest = bytes.count > Self.shown ? "..." : ""
    return "\"\(bytes.prefix(Self.shown).escaped)\(rest)\": \(reason)"
  }
}

extension UntrustedBytes.Refusal.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty: "empty"
    case .tooLong(let limit): "longer than \(limit) bytes"
    case .notUTF8: "not UTF-8"
    case .notDigits: "not a number in digits"
    case .outside(let lowest, let highest): "not from \(lowest) to \(highest)"
    case .otherCharacters: "has other characters than allowed"
    case .controlCharacter: "has a control character"
    case .containsNUL: "has a NUL"
    case .beginsWithHyphen: "begins with -"
    case .beginsWithDot: "begins with ."
    case .containsSlash: "has a /"
    case .absolute: "begins with /"
    case .leavesDirectory: "has a .."
    case .emptyName: "has an empty name"
    case .refusedByRule: "not acceptable"
    }
  }
}
