import CPlatform
import Glibc

/// How a socket carries data.
///
/// Source: socket(2).
public struct SocketKind: RawRepresentable, Hashable, Sendable {
  /// The kind as socket(2) takes it.
  public let rawValue: CInt

  /// Creates a kind from that of socket(2), for one that has no name here.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// Bytes in their order, without borders between messages, over a connection (`SOCK_STREAM`).
  public static let stream = SocketKind(rawValue: CInt(SOCK_STREAM.rawValue))
  /// Single messages, each to an address of its own (`SOCK_DGRAM`).
  public static let datagram = SocketKind(rawValue: CInt(SOCK_DGRAM.rawValue))
  /// Messages in their order over a connection, each received whole (`SOCK_SEQPACKET`).
  public static let sequencedPacket = SocketKind(rawValue: CInt(SOCK_SEQPACKET.rawValue))
}

extension SocketKind: CustomStringConvertible {
  /// The constant's name: `SOCK_STREAM`.
  public var description: String {
    switch self {
    case .stream: "SOCK_STREAM"
    case .datagram: "SOCK_DGRAM"
    case .sequencedPacket: "SOCK_SEQPACKET"
    default: "socket kind \(rawValue)"
    }
  }
}

/// The kind of a socket's addresses.
///
/// Source: address_families(7).
public struct AddressFamily: RawRepresentable, Hashable, Sendable {
  /// The family as socket(2) takes it.
  public let rawValue: CInt

  /// Creates a family from that of socket(2), for one that has no name here.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// Internet addresses of version 4 (`AF_INET`).
  public static let ipv4 = AddressFamily(rawValue: AF_INET)
  /// Internet addresses of version 6 (`AF_INET6`).
  public static let ipv6 = AddressFamily(rawValue: AF_INET6)
  /// Paths and names on this machine (`AF_UNIX`).
  public static let unix = AddressFamily(rawValue: AF_UNIX)
}

extension AddressFamily: CustomStringConvertible {
  /// The constant's name: `AF_INET`.
  public var description: String {
    switch self {
    case .ipv4: "AF_INET"
    case .ipv6: "AF_INET6"
    case .unix: "AF_UNIX"
    default: "address family \(rawValue)"
    }
  }
}
