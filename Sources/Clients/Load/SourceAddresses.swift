@_spi(Begat) import UnixCore

/// Addresses to connect from, one after the other, so that limits per source and the 28,000 local ports of each do not
/// end a measurement.
struct SourceAddresses {
  private let addresses: [SocketAddress]
  private var next = 0

  static let most = 254 * 254

  /// 127.1.0.1, 127.1.0.2, …: all of 127.0.0.0/8 is this machine's own.
  static let local = IPv4Address(rawValue: 127 << 24 | 1 << 16)

  /// - Parameter network: the first address of 65,536.
  init(count: Int, in network: IPv4Address = SourceAddresses.local) {
    addresses = (0..<count).map { index in
      let host = UInt32(index / 254) << 8 | UInt32(index % 254 + 1)
      return .ipv4(IPv4Address(rawValue: network.rawValue | host), port: 0)
    }
  }

  /// Whether a target can be reached from such addresses.
  static func canReach(_ target: SocketAddress) -> Bool {
    if case .ipv4(let host, _) = target { host.rawValue >> 24 == 127 } else { false }
  }

  var count: Int { addresses.count }

  /// The next address; nil leaves the choice to the kernel.
  mutating func take() -> SocketAddress? {
    guard !addresses.isEmpty else { return nil }
    next = next + 1 < addresses.count ? next + 1 : 0
    return addresses[next]
  }
}
