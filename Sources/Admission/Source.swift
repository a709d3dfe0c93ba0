import UnixIPC

/// How many bits of an address make a source: machines behind them count as one.
public struct SourcePrefix: Hashable, Sendable {
  /// 1 to 32.
  public var ipv4: Int
  /// 1 to 128.  A subscriber usually has a /64 to choose addresses from.
  public var ipv6: Int

  public init(ipv4: Int = 32, ipv6: Int = 64) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }
}

/// Whom limits per source count as one: a network of clients, or a user on a Unix socket.
public struct Source: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  /// - Parameter user: at the other end of a Unix socket; nil where it is not known.
  public init(_ address: SocketAddress?, user: UInt32?, prefix: SourcePrefix) {
    switch address {
    case .ipv4(let host, _): self.init(host, prefix)
    case .ipv6(let host, _, _):
      if let mapped = host.unmapped {
        self.init(mapped, prefix)
      } else {
        self.init(high: host.high & Source.mask(prefix.ipv6), low: host.low & Source.mask(prefix.ipv6 - 64))
      }
    case .unixPath, .unixAbstract, .unixUnnamed, nil:
      // No sender has an address that begins with 64 ones: it would be multicast.
      self.init(high: .max, low: UInt64(user ?? .max))
    }
  }

  private init(_ host: IPv4Address, _ prefix: SourcePrefix) {
    let masked = UInt64(host.rawValue) << 32 & Source.mask(prefix.ipv4)
    self.init(high: 0, low: 0xffff_0000_0000 | masked >> 32)
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The first `count` of 64 bits.
  private static func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : ~0 << UInt64(64 - min(count, 64)) }
}
