/// How much of a client's address is written down, in logs and wherever connections are listed.
public enum LogAddress: String, CaseIterable, Sendable {
  /// The address and the port, or the user of a Unix socket.
  case full
  /// The network alone: 24 bits of an IPv4 address, 48 of an IPv6 address, and no port.
  case prefix
  case none

  /// Its number in messages.
  public var number: UInt8 {
    switch self {
    case .full: 0
    case .prefix: 1
    case .none: 2
    }
  }

  /// Nil for a number that none has.
  public init?(number: UInt8) {
    switch number {
    case 0: self = .full
    case 1: self = .prefix
    case 2: self = .none
    default: return nil
    }
  }
}
