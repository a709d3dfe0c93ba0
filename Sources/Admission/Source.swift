@_spi(Begat) import UnixCore

/// How many bits of an address make a source: machines behind them count as one.
public struct SourcePrefix: Hashable, Sendable {
  /// How many bits of an IPv4 address count: 1 to 32.
  public var ipv4: Int
  /// How many bits of an IPv6 address count: 1 to 128.  A subscriber usually has a /64 to choose addresses from.
  public var ipv6: Int

  /// Makes prefixes of these lengths.
  public init(ipv4: Int = 32, ipv6: Int = 64) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }
}

/// The unit that per-source limits count: a network of clients, or a user on a Unix socket.
public struct Source: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  /// Finds the source of a client.
  ///
  /// - Parameter user: the user at the other end of a Unix socket; nil if it is not known.
  public init(_ address: SocketAddress?, user: UInt32?, prefix: SourcePrefix) {
    switch address {
    case .ipv4(let host, _): self.init(host, prefix)
    case .ipv6(let host, _, _):
      if let mapped = host.unmapped {
        self.init(mapped, prefix)
      } else {
        let network = host.keeping(firstBits: prefix.ipv6)
        self.init(high: network.high, low: network.low)
      }
    case .unixPath, .unixAbstract, .unixUnnamed, nil:
      // No sender has an address that begins with 64 ones: it would be multicast.
      self.init(high: .max, low: UInt64(user ?? .max))
    }
  }

  private init(_ host: IPv4Address, _ prefix: SourcePrefix) {
    self.init(high: 0, low: 0xffff_0000_0000 | UInt64(host.keeping(firstBits: prefix.ipv4).rawValue))
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A source that no client has: it stands for connections that were counted under another prefix.
  static let orphan = Source(high: .max, low: .max - 1)

  /// The addresses that belong to the source; nil for a user, or for no source.
  func network(_ prefix: SourcePrefix) -> IPNetwork? {
    switch family {
    case .ipv4: IPNetwork(IPv6Address(high: high, low: low), prefixLength: 96 + prefix.ipv4)
    case .ipv6: IPNetwork(IPv6Address(high: high, low: low), prefixLength: prefix.ipv6)
    case .user: nil
    }
  }

  private enum Family {
    case ipv4
    case ipv6
    case user
  }

  private var family: Family {
    if high == .max { return .user }
    return high == 0 && low >> 32 == 0xffff ? .ipv4 : .ipv6
  }

  /// Whether the source means nothing any more where another prefix makes sources.
  func isOutdated(byChangeFrom from: SourcePrefix, to: SourcePrefix) -> Bool {
    switch family {
    case .ipv4: from.ipv4 != to.ipv4
    case .ipv6: from.ipv6 != to.ipv6
    case .user: false
    }
  }
}
