import UnixIPC

extension ServiceMode {
  /// The kind of a socket that clients come through: its family and its type.
  public enum SocketKind: Hashable, Sendable, CaseIterable {
    /// A TCP socket.
    case internetStream
    /// A UDP socket.
    case internetDatagram
    /// A Unix socket for connections.
    case unixStream
    /// A Unix socket for datagrams.
    case unixDatagram

    /// The kind of a socket that has this address.
    ///
    /// - Parameter address: nil for one of a family that is not known, which counts as a Unix socket's.
    public init(_ address: SocketAddress?, isStream: Bool) {
      let isUnix = address?.isUnix ?? true
      self = isStream ? (isUnix ? .unixStream : .internetStream) : isUnix ? .unixDatagram : .internetDatagram
    }

    /// Whether the socket takes connections.
    public var isStream: Bool { self == .internetStream || self == .unixStream }
    /// Whether the socket's clients have network addresses.
    public var isInternet: Bool { self == .internetStream || self == .internetDatagram }
  }
}

extension ListenAddress {
  /// The kinds of sockets that it can stand for: the service manager may pass one of any family.
  public func kinds(isStream: Bool) -> Set<ServiceMode.SocketKind> {
    boundKind(isStream: isStream).map { [$0] }
      ?? Set(ServiceMode.SocketKind.allCases.filter { $0.isStream == isStream })
  }

  /// The kind of the socket that is bound for it; nil where the service manager passes the socket.
  public func boundKind(isStream: Bool) -> ServiceMode.SocketKind? {
    guard case .address(let address, _) = self else { return nil }
    return ServiceMode.SocketKind(address, isStream: isStream)
  }
}
