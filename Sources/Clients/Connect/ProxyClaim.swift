import ProxyProtocol
@_spi(Begat) import UnixCore

/// A header of the PROXY protocol that a client sends before all else, as a proxy does.
public struct ProxyClaim: Hashable, Sendable {
  /// The version of the header, as the command line names it.
  public enum Version: String, CaseIterable, Sendable {
    case one = "v1"
    case two = "v2"
  }

  public var version: Version
  /// The client that the header names; nil names this end of the connection.
  ///
  /// The port 0 stands for the port of this end.
  public var client: SocketAddress?

  public init(_ version: Version, client: SocketAddress? = nil) {
    self.version = version
    self.client = client
  }

  /// Reads `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; nil for anything else.
  public static func client(_ text: String) -> SocketAddress? {
    if let address = IPv4Address(text) { return .ipv4(address, port: 0) }
    if let address = IPv6Address(text) { return .ipv6(address, port: 0) }
    guard let address = SocketAddress(text), !address.isUnix else { return nil }
    return address
  }

  /// The header for a connection from one address to another.
  func header(from local: SocketAddress?, to destination: SocketAddress) -> [UInt8] {
    var source = client ?? local ?? .unixUnnamed
    if source.port == 0 { source.setPort(local?.port ?? 0) }
    let isInternet = !source.isUnix && !destination.isUnix
    let ends = ProxyHeader.Addresses(source: source, destination: isInternet ? destination : source.unspecified)
    return version == .one ? ProxyHeader.line(ends) : ProxyHeader.binary(ends)
  }
}

extension SocketAddress {
  fileprivate mutating func setPort(_ port: UInt16) {
    switch self {
    case .ipv4(let address, _): self = .ipv4(address, port: port)
    case .ipv6(let address, _, let scope): self = .ipv6(address, port: port, scope: scope)
    case .unixPath, .unixAbstract, .unixUnnamed: break
    }
  }

  /// The unspecified address of the same family: the destination of a connection by a Unix socket, which has none.
  fileprivate var unspecified: SocketAddress {
    switch self {
    case .ipv4: .ipv4(.any, port: 0)
    case .ipv6: .ipv6(.any, port: 0)
    case .unixPath, .unixAbstract, .unixUnnamed: self
    }
  }
}
