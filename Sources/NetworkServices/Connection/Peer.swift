import UnixIPC

/// Who is at the other end.
public struct Peer: Sendable {
  /// Nil on standard input and output.
  public let address: SocketAddress?
  /// The credentials of the peer of a Unix socket, as far as the kernel has them.
  public let credentials: PeerCredentials?
  /// How many connections its source has, this one included.
  public let connections: Int
  private let names: (any PeerNames)?

  public init(
    address: SocketAddress?, credentials: PeerCredentials? = nil, connections: Int = 1, names: (any PeerNames)? = nil
  ) {
    self.address = address
    self.credentials = credentials
    self.connections = connections
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

/// Looks up host names within a bounded time.
///
/// A class: copying a reference needs nothing of the run-time library in a process that was just forked.
public protocol PeerNames: AnyObject, Sendable {
  /// Writes the name, at most 255 bytes; false when there is none.
  func write(nameOf address: SocketAddress, to text: inout ByteWriter) -> Bool
}
