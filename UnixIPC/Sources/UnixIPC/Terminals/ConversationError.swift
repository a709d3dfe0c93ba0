@_spi(Begat) import UnixCore

/// Why an expectation was not met.
public enum ConversationError: Error, Hashable, Sendable {
  /// The deadline has passed.  `seen` has the last bytes that wait, at most 256.
  case timedOut(expected: String, seen: [UInt8])
  /// The program has ended or closed its terminal.  `seen` has the last bytes that wait, at most 256.
  case ended(expected: String, seen: [UInt8])
  /// A transformation in a regex threw this.
  case regex(String)
  /// A system call failed.
  case call(SystemCallError)
}

extension ConversationError: CustomStringConvertible {
  /// One line for a log: `no "login: " in time; last came: "Password: "`.
  public var description: String {
    switch self {
    case .timedOut(let expected, let seen): "no \(expected) in time; last came: \"\(escaped(seen))\""
    case .ended(let expected, let seen): "the program ended without \(expected); last came: \"\(escaped(seen))\""
    case .regex(let problem): problem
    case .call(let error): error.description
    }
  }
}
