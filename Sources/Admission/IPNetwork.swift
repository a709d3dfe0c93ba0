@_spi(Begat) import UnixCore

/// A network of IPv4 or IPv6 addresses: an address and how many of its bits count.
///
/// Source: RFC 4632, RFC 4291 section 2.3.
public struct IPNetwork: Hashable, Sendable {
  /// The first 64 and the last 64 bits; an IPv4 address stands at the beginning.
  let high: UInt64
  let low: UInt64
  /// Whether it is a network of IPv4 addresses.
  public let isIPv4: Bool
  /// How many bits count: 0 to 32, or 0 to 128.
  public let prefixLength: Int

  /// Why a text is not a network.
  public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text has no form of a network.
    case malformed
    /// Bits are set that do not count; the value is the network that was probably meant.
    case hostBits(String)

    /// One line that says what was expected.
    public var description: String {
      switch self {
      case .malformed: "expected a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7"
      case .hostBits(let network): "bits after the prefix are set; did you mean \(network)?"
      }
    }
  }

  /// Creates the network of all IPv4 addresses that begin as this one.
  ///
  /// - Parameter prefixLength: is limited to the bits of the family.
  public init(_ host: IPv4Address, prefixLength: Int = 32) {
    self.init(UInt64(host.rawValue) << 32, 0, isIPv4: true, prefixLength: min(max(0, prefixLength), 32))
  }

  /// Creates a network of IPv6 addresses; a mapped address (`::ffff:a.b.c.d`) counts as IPv4.
  public init(_ host: IPv6Address, prefixLength: Int = 128) {
    if let mapped = host.unmapped, prefixLength >= 96 {
      self.init(mapped, prefixLength: prefixLength - 96)
    } else {
      self.init(host.high, host.low, isIPv4: false, prefixLength: min(max(0, prefixLength), 128))
    }
  }

  private init(_ high: UInt64, _ low: UInt64, isIPv4: Bool, prefixLength: Int) {
    self.high = high & highBits(prefixLength)
    self.low = low & highBits(prefixLength - 64)
    self.isIPv4 = isIPv4
    self.prefixLength = prefixLength
  }

  /// The network of a ban.
  ///
  /// - Parameter banKind: as `begat_ban.kind`; nil is returned for a number that stands for nothing.
  init?(high: UInt64, low: UInt64, banKind: Int) {
    switch banKind {
    case BanKind.ipv4...(BanKind.ipv4 + 32): self.init(high, 0, isIPv4: true, prefixLength: banKind - BanKind.ipv4)
    case BanKind.ipv6...BanKind.last: self.init(high, low, isIPv4: false, prefixLength: banKind - BanKind.ipv6)
    default: return nil
    }
  }

  /// Reads `192.0.2.0/24`, `2001:db8::/32`, or an address alone.
  public init(parsing text: String) throws(Problem) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.first else { throw .malformed }
    func length(atMost longest: Int) throws(Problem) -> Int {
      guard parts.count == 2 else { return longest }
      guard let length = Int(decimal: parts[1]), length <= longest else { throw .malformed }
      return length
    }
    if let host = IPv4Address(first) {
      self.init(host, prefixLength: try length(atMost: 32))
      if high != UInt64(host.rawValue) << 32 { throw .hostBits(description) }
    } else if let host = IPv6Address(first) {
      self.init(host, prefixLength: try length(atMost: 128))
      let bits = isIPv4 ? (host.low << 32, 0) : (host.high, host.low)
      if (high, low) != bits { throw .hostBits(description) }
    } else {
      throw .malformed
    }
  }

  /// The network with no more bits than these, by family.
  public func widened(ipv4: Int, ipv6: Int) -> IPNetwork {
    IPNetwork(high, low, isIPv4: isIPv4, prefixLength: min(prefixLength, isIPv4 ? ipv4 : ipv6))
  }

  /// Whether the address belongs to the network.
  public func contains(_ host: IPv4Address) -> Bool {
    isIPv4 && UInt64(host.rawValue) << 32 & highBits(prefixLength) == high
  }

  /// Whether the address belongs to the network; a mapped address counts as IPv4.
  public func contains(_ host: IPv6Address) -> Bool {
    if let mapped = host.unmapped { return contains(mapped) }
    return !isIPv4 && host.high & highBits(prefixLength) == high
      && host.low & highBits(prefixLength - 64) == low
  }

  /// Whether all addresses of the other network belong to this one.
  public func contains(_ other: IPNetwork) -> Bool {
    isIPv4 == other.isIPv4 && prefixLength <= other.prefixLength && other.high & highBits(prefixLength) == high
      && other.low & highBits(prefixLength - 64) == low
  }
}

extension IPNetwork: CustomStringConvertible {
  /// The address and its prefix's length; the address alone if all of its bits count.
  public var description: String {
    let host =
      isIPv4 ? IPv4Address(rawValue: UInt32(high >> 32)).description : IPv6Address(high: high, low: low).description
    return prefixLength == (isIPv4 ? 32 : 128) ? host : "\(host)/\(prefixLength)"
  }
}
