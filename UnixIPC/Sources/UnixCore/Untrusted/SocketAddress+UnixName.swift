extension SocketAddress {
  /// The path of a Unix socket, or `@` and the abstract name; nil for all other addresses.
  ///
  /// A client may bind its end to any name: use this form of a peer's address.
  public var unixName: UntrustedBytes? {
    switch self {
    case .unixPath(let path): UntrustedBytes(path.bytes)
    case .unixAbstract(let name): UntrustedBytes([UInt8(ascii: "@")] + name)
    case .ipv4, .ipv6, .unixUnnamed: nil
    }
  }
}
