extension UntrustedBytes {
  /// Why bytes did not pass a check.
  ///
  /// Its description is fit for a log: `"x23y": not a number in digits`, one line of printable ASCII, of the bytes at
  /// most 80 as they are escaped.
  public struct CheckError: Error, Hashable, Sendable {
    /// What is wrong with the bytes.
    public enum Reason: Hashable, Sendable {
      /// There are none.
      case empty
      /// There are more than the limit, in bytes.
      case tooLong(limit: Int)
      /// They are not valid UTF-8.
      case notUTF8
      /// They are not a number in digits.
      case notDigits
      /// They are a number outside of the range.
      case outside(lowest: String, highest: String)
      /// They contain characters that are not allowed.
      case otherCharacters
      /// They contain a control character.
      case controlCharacter
      /// They contain a NUL.
      case containsNUL
      /// They begin with a hyphen.
      case beginsWithHyphen
      /// They begin with a dot.
      case beginsWithDot
      /// They contain a slash.
      case containsSlash
      /// They are a path that begins at the root.
      case absolute
      /// They contain the name `..`.
      case leavesDirectory
      /// They contain two slashes with nothing between them, or one at the end.
      case emptyName
      /// The caller's own rule did not accept them.
      case refusedByRule
    }

    /// What is wrong with the bytes.
    public let reason: Reason
    /// The bytes.
    public let bytes: UntrustedBytes

    init(_ reason: Reason, of bytes: UntrustedBytes) {
      self.reason = reason
      self.bytes = bytes
    }
  }
}

extension UntrustedBytes.CheckError: CustomStringConvertible {
  private static let shown = 80

  /// One line for a log: the bytes, escaped and at most 80 of them, and the reason.
  public var description: String {
    let rest = bytes.count > Self.shown ? "..." : ""
    return "\"\(bytes.prefix(Self.shown).escaped)\(rest)\": \(reason)"
  }
}

extension UntrustedBytes.CheckError.Reason: CustomStringConvertible {
  /// The reason in words: "longer than 80 bytes".
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
