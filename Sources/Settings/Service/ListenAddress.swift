@_spi(Begat) import UnixCore

/// Where a service listens.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// begatd binds it; an optional one is left out where the machine lacks its family.
  case address(SocketAddress, isOptional: Bool)
  /// The service manager passes it under this name (`FileDescriptorName=`).
  case passed(name: String)

  /// Whether it is a file.
  public var isPath: Bool { if case .address(.unixPath, _) = self { true } else { false } }

  public var description: String {
    switch self {
    case .address(let address, _): address.description
    case .passed(let name): "fd:\(printable(name))"
    }
  }
}
