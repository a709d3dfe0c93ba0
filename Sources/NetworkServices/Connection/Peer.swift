@_spi(Begat) import UnixCore

/// Who is at the other end.
public struct Peer: Sendable {
  /// Nil on standard input and output.
  public let address: SocketAddress?
  /// The credentials of the peer of a Unix socket, as far as the kernel has them.
  public let credentials: PeerCredentials?
  /// How many connections its source has, this one included.
  public let connections: Int
  /// The ends that a proxy has named; nil if the client connected directly.
  package let proxied: ProxiedEnds?
  private let names: (any PeerNames)?

  package init(
    address: SocketAddress?, credentials: PeerCredentials? = nil, connections: Int = 1,
    proxied: ProxiedEnds? = nil, names: (any PeerNames)? = nil
  ) {
    self.address = address
    self.credentials = credentials
    self.connections = connections
    self.proxied = proxied
    self.names = names
  }

  /// Writes the host's name if it can be had soon, else its address; false for peers that have neither, as on a Unix
  /// socket.
  func writeName(to text: inout ByteWriter) -> Bool {
    guard let address, !address.isUnix else { return false }
    if let names, names.write(nameOf: address, to: &text) { return true }
    switch address {
    case .ipv4(let host, _): host.write(to: &text)
    case .ipv6(let host, _, _):
      if let mapped = host.unmapped { mapped.write(to: &text) } else { host.write(to: &text) }
    case .unixPath, .unixAbstract, .unixUnnamed: return false
    }
    return true
  }
}

/// The data in a PROXY header besides the client's address.
///
/// A class: a process that was just forked would ask the run-time library how to copy a value of this size.
package final class ProxiedEnds: Sendable {
  /// The proxy; nil where its address is not known.
  package let proxy: SocketAddress?
  /// The address to which the client connected.
  package let destination: SocketAddress
  /// The header's TLVs.
  package let extensions: [UInt8]

  package init(proxy: SocketAddress?, destination: SocketAddress, extensions: [UInt8]) {
    self.proxy = proxy
    self.destination = destination
    self.extensions = extensions
  }
}

/// Looks up host names within a bounded time.
///
/// A class: copying a reference needs nothing of the run-time library in a process that was just forked.
package protocol PeerNames: AnyObject, Sendable {
  /// Writes the name, at most 255 bytes; false when there is none.
  func write(nameOf address: SocketAddress, to text: inout ByteWriter) -> Bool
}
