import UnixIPC

/// A client of a service: its address, its credentials and its source, each found once, when it was accepted.
public struct Client: Sendable {
  /// The address; nil where there is none, as on a pipe.
  public let address: SocketAddress?
  /// The credentials of the peer of a Unix socket, as far as the kernel has them.
  public let credentials: PeerCredentials?
  /// The source as which limits count the client.
  public let source: Source

  /// A client whose address and credentials are known.
  public init(address: SocketAddress?, credentials: PeerCredentials? = nil, prefix: SourcePrefix) {
    self.address = address
    self.credentials = credentials
    source = Source(address, user: credentials?.user, prefix: prefix)
  }

  /// The client at the other end of a connection.
  ///
  /// - Parameter native: the client's address as the kernel has given it.
  public init(of connection: borrowing Descriptor, at native: borrowing NativeAddress, prefix: SourcePrefix) {
    let address = native.address
    let isUnix = address?.isUnix ?? false
    self.init(address: address, credentials: isUnix ? try? PeerCredentials(of: connection) : nil, prefix: prefix)
  }

  /// The user at the other end of a Unix socket; nil for other clients.
  public var user: UInt32? { credentials?.user }
}
