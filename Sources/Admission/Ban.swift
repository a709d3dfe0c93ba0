import CSharedLayouts
@_spi(Begat) import UnixCore

/// A network that an administrator has banned from one service or from all.
public struct Ban: Hashable, Sendable {
  /// The addresses that are banned.
  public let network: IPNetwork
  /// The number of the service; `BanTable.allServices` for all of them.
  public let service: UInt32
  /// When the ban ends; `never` for one that remains.
  public let expiry: Deadline

  /// A ban of a network.
  public init(_ network: IPNetwork, service: UInt32 = BanTable.allServices, until expiry: Deadline = .never) {
    self.network = network
    self.service = service
    self.expiry = expiry
  }

  var key: BanKey { BanKey(network, service: service) }

  /// The ban of a slot; nil for one that is free, or has no sense.
  init?(_ native: begat_ban) {
    guard let network = IPNetwork(high: native.high, low: native.low, banKind: Int(native.kind)) else { return nil }
    self.init(network, service: native.service, until: Deadline(instant: native.expires))
  }
}

/// By what a ban is found: no two bans have the same.
struct BanKey: Hashable, Comparable {
  let high: UInt64
  let low: UInt64
  let service: UInt32
  /// As `begat_ban.kind`.
  let kind: UInt32

  init(_ network: IPNetwork, service: UInt32) {
    high = network.high
    low = network.low
    self.service = service
    kind = UInt32(network.prefixLength + (network.isIPv4 ? BanKind.ipv4 : BanKind.ipv6))
  }

  init(_ ban: begat_ban) {
    high = ban.high
    low = ban.low
    service = ban.service
    kind = ban.kind
  }

  /// The key of the ban that concerns an address, if there is one of this kind.
  init(high: UInt64, low: UInt64, service: UInt32, kind: Int) {
    let length = kind < BanKind.ipv6 ? kind - BanKind.ipv4 : kind - BanKind.ipv6
    self.high = high & highBits(length)
    self.low = low & highBits(length - 64)
    self.service = service
    self.kind = UInt32(kind)
  }

  /// IPv4 first, then by address, the largest network first.
  static func < (one: BanKey, other: BanKey) -> Bool {
    func order(_ key: BanKey) -> (Int, UInt64, UInt64, UInt32, UInt32) {
      (Int(key.kind) < BanKind.ipv6 ? 0 : 1, key.high, key.low, key.kind, key.service)
    }
    return order(one) < order(other)
  }

  func isKey(of ban: begat_ban) -> Bool {
    ban.high == high && ban.low == low && ban.service == service && ban.kind == kind
  }

  /// The row of the table's bits that the key's kind has.
  var scope: Int { service == BanTable.allServices ? 0 : 1 }

  /// SipHash-1-3 of the key's fields as 24 bytes.
  ///
  /// Source: Aumasson and Bernstein, SipHash: a fast short-input PRF.
  func hash(_ secret: (UInt64, UInt64)) -> UInt64 {
    var state = SipState(secret)
    state.absorb(high)
    state.absorb(low)
    state.absorb(UInt64(kind) << 32 | UInt64(service))
    state.absorb(24 << 56)
    return state.finish()
  }
}

/// Where the numbers of `begat_ban.kind` begin: one for each length of a prefix.
enum BanKind {
  static let ipv4 = 1
  static let ipv6 = 34
  static let last = ipv6 + 128

  /// The kinds of a family among those of a word of `begat_bans.kinds`.
  static func mask(isIPv4: Bool, word: Int) -> UInt64 {
    let ofIPv4: UInt64 = word == 0 ? (1 << UInt64(ipv6)) - 1 : 0
    return isIPv4 ? ofIPv4 : ~ofIPv4
  }
}

private struct SipState {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64

  init(_ secret: (UInt64, UInt64)) {
    v0 = secret.0 ^ 0x736f_6d65_7073_6575
    v1 = secret.1 ^ 0x646f_7261_6e64_6f6d
    v2 = secret.0 ^ 0x6c79_6765_6e65_7261
    v3 = secret.1 ^ 0x7465_6462_7974_6573
  }

  private mutating func round() {
    v0 &+= v1
    v1 = rotate(v1, 13) ^ v0
    v0 = rotate(v0, 32)
    v2 &+= v3
    v3 = rotate(v3, 16) ^ v2
    v0 &+= v3
    v3 = rotate(v3, 21) ^ v0
    v2 &+= v1
    v1 = rotate(v1, 17) ^ v2
    v2 = rotate(v2, 32)
  }

  private func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }

  mutating func absorb(_ word: UInt64) {
    v3 ^= word
    round()
    v0 ^= word
  }

  mutating func finish() -> UInt64 {
    v2 ^= 0xff
    for _ in 0..<3 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }
}
