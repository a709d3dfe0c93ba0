import UnixIPC

/// Who is at the other end.
public struct Peer: Sendable {
  /// Nil on standard input and output.
  public let address: SocketAddress?
  private let names: (any PeerNames)?

  public init(address: SocketAddress?, names: (any PeerNames)? = nil) {
    self.address = address
    self.names = names
  }

  /// The host's name if it can be had soon, else its address; nil for peers that have none, as on a Unix socket.
  public var name: String? {
    guard let address else { return nil }
    if let name = names?.name(of: address) { return name }
    switch address {
    case .ipv4(let host, _): return host.description
    case .ipv6(let host, _, _): return host.unmapped?.description ?? host.description
    case .unixPath, .unixAbstract, .unixUnnamed: return nil
    }
  }
}

/// Somebody who knows hosts' names and never takes long to say so.
public protocol PeerNames: Sendable {
  func name(of address: SocketAddress) -> String?
}
