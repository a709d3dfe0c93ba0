import Admission
import Monitoring
@_spi(Begat) import UnixCore

/// Which connections are shown.
public struct ConnectionFilter: Hashable, Sendable {
  /// Shows only connections from this network; nil shows all, those of Unix sockets included.
  public var source: IPNetwork?
  /// Open for at least this long.
  public var minimumAge: Duration?
  /// Words, each of which is a part of the connection's id, peer, proxy, name, process or user.
  public var words: [String] = []

  public init(source: IPNetwork? = nil, minimumAge: Duration? = nil) {
    self.source = source
    self.minimumAge = minimumAge
  }

  public var isEmpty: Bool { self == ConnectionFilter() }

  func admits(_ connection: ConnectionStatus) -> Bool {
    if let minimumAge, connection.age < minimumAge { return false }
    if let source, !ConnectionFilter.isFrom(source, connection.peer) { return false }
    return words.allSatisfy { word in
      connection.id.description.contains(word) || connection.peer?.contains(word) == true
        || connection.via?.contains(word) == true || connection.name?.contains(word) == true
        || "\(connection.process)" == word
        || connection.user.map { "uid \($0)".contains(word) } == true
    }
  }

  private static func isFrom(_ network: IPNetwork, _ peer: String?) -> Bool {
    guard let peer else { return false }
    switch SocketAddress(peer) {
    case .ipv4(let address, _): return network.contains(address)
    case .ipv6(let address, _, _): return network.contains(address)
    // Shortened for privacy, an address is a network.
    default: return (try? IPNetwork(parsing: peer)).map { network.contains($0) } ?? false
    }
  }
}
