extension SocketAddress {
  /// The path of a Unix socket, or `@` and the abstract name, as whoever bound it chose it; nil for all others.
  ///
  /// A client may bind its end to any name: of a peer, this is the form to start from.
  public var unixName: UntrustedBytes? {
    switch self {
    case .unixPath(let path): UntrustedBytes(path.bytes)
    case .unixAbstract(let name): UntrustedBytes([UInt8(ascii: "@")] + name)
    case .ipv4, .ipv6, .unixUnnamed: nil
    }
  }
}
