@_spi(Begat) import UnixCore

/// Why what was expected did not come.
public enum ConversationFailure: Error, Hashable, Sendable {
  /// The deadline has passed.  `seen` are the last bytes that wait, at most 256.
  case timedOut(expected: String, seen: [UInt8])
  /// The program has ended or closed its terminal.
  case ended(expected: String, seen: [UInt8])
  /// A transformation in a regex threw this.
  case regex(String)
  case call(SystemCallError)
}

extension ConversationFailure: CustomStringConvertible {
  /// `no "login: " in time; last came: "Password: "`.
  public var description: String {
    switch self {
    case .timedOut(let expected, let seen): "no \(expected) in time; last came: \"\(escaped(seen))\""
    case .ended(let expected, let seen): "the program ended without \(expected); last came: \"\(escaped(seen))\""
    case .regex(let problem): problem
    case .call(let failure): failure.description
    }
  }
}
