import Admission
import Settings
@_spi(Begat) import UnixCore

/// Turns clients' addresses into text: the only place where that is done for logs, titles of processes and lists of
/// connections, so that `log-address` holds for all of them.
public struct PeerText: Sendable {
  /// How much is shown.
  public let form: LogAddress

  public init(_ form: LogAddress) { self.form = form }

  /// The bits of an address that are its network, as in most address plans: those of one customer.
  public static let ipv4Prefix = 24
  /// As `ipv4Prefix`.
  public static let ipv6Prefix = 48

  /// Stands where nothing of the address may.
  public static let hidden: StaticString = "-"

  /// Appends the client's address, without allocating.
  ///
  /// - Parameter user: the user at the other end of a Unix socket.
  /// - Parameter local: the address of the listening socket, which says more than a Unix client's own.
  package func write(
    _ address: SocketAddress?, user: UInt32? = nil, at local: String? = nil, to text: inout ByteWriter
  ) {
    switch form {
    case .full:
      if let user {
        text.append("uid ")
        text.append(decimal: user)
        text.append(" at ")
      }
      guard let address else { return text.append("unknown") }
      if address.isUnix, let local { text.append(local) } else { address.write(to: &text) }
    case .prefix: writeNetwork(of: address, to: &text)
    case .none: text.append(PeerText.hidden)
    }
  }

  /// The text that `write` appends.
  public func text(_ address: SocketAddress?, user: UInt32? = nil, at local: String? = nil) -> String {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      var text = ByteWriter(room)
      write(address, user: user, at: local, to: &text)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  /// The client for a sentence about it, without its port: `192.0.2.7`, `user 1000`, `a client`.
  public func subject(_ address: SocketAddress?, user: UInt32? = nil) -> String {
    switch form {
    case .full:
      if let user { return "user \(user)" }
      return address.map { $0.host ?? "a Unix socket" } ?? "a client without an address"
    case .prefix:
      guard let address else { return "a client without an address" }
      return address.isUnix ? "a Unix socket" : text(address)
    case .none: return "a client"
    }
  }

  /// The client's address for a sentence about it, with its port: `192.0.2.7:51312`, `a client`.
  public func address(_ address: SocketAddress?) -> String {
    guard let address, form != .none else { return "a client" }
    return form == .full ? address.description : text(address)
  }

  /// A network that clients were named by, such as one that is denied: `192.0.2.7`, `192.0.2.0/24`, `-`.
  public func network(_ network: IPNetwork) -> String {
    switch form {
    case .full: network.description
    case .prefix: network.widened(ipv4: PeerText.ipv4Prefix, ipv6: PeerText.ipv6Prefix).description
    case .none: "\(PeerText.hidden)"
    }
  }

  /// The fields of an address without what is not shown, so that it leaves no process.
  public func masked(_ fields: PeerFields) -> PeerFields {
    switch form {
    case .full: fields
    case .prefix: PeerFields(fields.address.flatMap(PeerText.network))
    case .none: PeerFields(nil)
    }
  }

  private func writeNetwork(of address: SocketAddress?, to text: inout ByteWriter) {
    switch address.flatMap(PeerText.network) {
    case .ipv4(let host, _):
      host.write(to: &text)
      text.append("/")
      text.append(decimal: UInt64(PeerText.ipv4Prefix))
    case .ipv6(let host, _, _):
      host.write(to: &text)
      text.append("/")
      text.append(decimal: UInt64(PeerText.ipv6Prefix))
    case .unixPath, .unixAbstract, .unixUnnamed: text.append("unix")
    case nil: text.append("unknown")
    }
  }

  private static func network(of address: SocketAddress) -> SocketAddress? {
    switch address.unmapped {
    case .ipv4(let host, _): .ipv4(IPv4Address(rawValue: host.rawValue & ~0 << UInt32(32 - ipv4Prefix)), port: 0)
    case .ipv6(let host, _, _): .ipv6(IPv6Address(high: host.high & ~0 << UInt64(64 - ipv6Prefix), low: 0), port: 0)
    case .unixPath, .unixAbstract, .unixUnnamed: .unixUnnamed
    }
  }
}
