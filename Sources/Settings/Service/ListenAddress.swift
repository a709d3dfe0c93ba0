@_spi(Begat) import UnixCore

extension SocketAddress {
  /// Whether only this machine reaches it, by IP.
  public var isLoopback: Bool {
    switch self {
    case .ipv4(let host, _): host.rawValue >> 24 == 127
    case .ipv6(let host, _, _): host == .loopback
    case .unixPath, .unixAbstract, .unixUnnamed: false
    }
  }

  /// Whether a service is served without this address, with a warning, because the machine lacks it: an address of
  /// loopback, which is missing where its family is switched off, or one of a family that is missing as a whole.
  ///
  /// - Parameter code: of the call that failed.
  public func isDispensable(without code: ErrorCode) -> Bool {
    code == .addressFamilyNotSupported || code == .addressNotAvailable && isLoopback
  }
}

/// Where a service listens.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// begatd binds it; an optional one is left out where the machine lacks its family.
  case address(SocketAddress, isOptional: Bool)
  /// The service manager passes it under this name (`FileDescriptorName=`).
  case passed(name: String)

  /// Whether it is left out where the machine lacks its family.
  public var isOptional: Bool { if case .address(_, isOptional: true) = self { true } else { false } }

  /// Whether it is a file.
  public var isPath: Bool { if case .address(.unixPath, _) = self { true } else { false } }

  public var description: String {
    switch self {
    case .address(let address, _): address.description
    case .passed(let name): "fd:\(printable(name))"
    }
  }
}
