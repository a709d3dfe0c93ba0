import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite struct AccessPeerTests {
  @Test(
    "is shown as it is read",
    arguments: [
      ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.7", "192.0.2.7"), ("2001:DB8::/32", "2001:db8::/32"),
      ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("unix:1000", "unix:1000"), ("unix:0", "unix:0"), ("unix:*", "unix:*"),
      ("unix:4294967295", "unix:4294967295"),
    ])
  func isShown(text: String, shown: String) throws {
    let peer = try #require(AccessPeer(text))
    #expect("\(peer)" == shown && AccessPeer(shown) == peer)
  }
}

@Suite struct AccessRulesTests {
  @Test("let everybody in where there are none")
  func letEverybodyIn() throws {
    for address in try [peer("192.0.2.7"), peer("::1"), peer("@a"), nil] {
      #expect(try rules().decision(on: address, user: nil) == .open)
    }
    // A list without entries lets nobody in.
    for address in try [peer("192.0.2.7"), peer("::1"), peer("@a"), nil] {
      #expect(try rules(allow: []).decision(on: address, user: 0) == .notAllowed)
    }
    #expect(AccessRules.Rule.open.isAllowed && AccessRules.Rule.allow(3).isAllowed)
    #expect(!AccessRules.Rule.notAllowed.isAllowed && !AccessRules.Rule.deny(3).isAllowed)
  }

  @Test("refuse all others where somebody is allowed, and nobody else where somebody is refused")
  func areExclusive() throws {
    let allowing = try rules(allow: ["192.0.2.0/24"])
    let denying = try rules(deny: ["192.0.2.0/24"])
    for other in ["198.51.100.1", "2001:db8::1", "@a"] {
      #expect(allowing.decision(on: try peer(other), user: 0) == .notAllowed)
      #expect(denying.decision(on: try peer(other), user: 0) == .open)
    }
    #expect(allowing.decision(on: nil, user: nil) == .notAllowed && denying.decision(on: nil, user: nil) == .open)
    #expect(allowing.decision(on: try peer("192.0.2.7"), user: nil) == .allow(0))
    #expect(denying.decision(on: try peer("192.0.2.7"), user: nil) == .deny(0))
  }

  @Test("let the one decide that looks at most of the address, a refusal before a permission")
  func decide() throws {
    let all = try rules(
      allow: ["192.0.2.0/24", "0.0.0.0/0", "192.0.2.128/32", "2001:db8::/32"],
      deny: ["192.0.0.0/16", "192.0.2.0/25", "192.0.2.128", "2001:db8:1::/48"])
    for (text, rule) in [
      ("192.0.2.200", .allow(0)), ("192.0.2.7", .deny(1)), ("192.0.3.1", .deny(0)), ("198.51.100.1", .allow(1)),
      ("192.0.2.128", .deny(2)), ("2001:db8::1", .allow(3)), ("2001:db8:1::1", .deny(3)), ("2001:db9::", .notAllowed),
      ("::ffff:192.0.2.200", .allow(0)), ("::ffff:192.0.2.7", .deny(1)), ("@a", .notAllowed),
    ] as [(String, AccessRules.Rule)] {
      #expect(all.decision(on: try peer(text), user: 1000) == rule, "\(text)")
    }
  }

  @Test("are about IPv4 addresses in a mapped one, not about all of IPv6")
  func areAboutMapped() throws {
    let denying = try rules(deny: ["::/0"])
    #expect(denying.decision(on: try peer("::ffff:192.0.2.7"), user: nil) == .open)
    #expect(denying.decision(on: try peer("2001:db8::1"), user: nil) == .deny(0))
    #expect(try rules(deny: ["0.0.0.0/0"]).decision(on: peer("::ffff:192.0.2.7"), user: nil) == .deny(0))
  }

  @Test("are about users on Unix sockets, one by one or all")
  func areAboutUsers() throws {
    let all = try rules(allow: ["unix:1000", "unix:*"], deny: ["unix:1001", "192.0.2.7"])
    for (user, rule) in [(1000, .allow(0)), (1001, .deny(0)), (0, .allow(1)), (nil, .allow(1))]
      as [(UInt32?, AccessRules.Rule)]
    {
      for address in ["/run/a", "@a"] { #expect(all.decision(on: try peer(address), user: user) == rule) }
      #expect(all.decision(on: .unixUnnamed, user: user) == rule)
    }
    // A user's number beside an internet address is nobody's.
    #expect(all.decision(on: try peer("192.0.2.8"), user: 1000) == .notAllowed)
    #expect(try rules(allow: ["unix:*"], deny: ["unix:*"]).decision(on: .unixUnnamed, user: 0) == .deny(0))
    #expect(try rules(allow: ["unix:5"], deny: ["unix:*"]).decision(on: .unixUnnamed, user: 5) == .allow(0))
  }

  @Test("decide as one who compares bit by bit")
  func decideAsAReference() throws {
    var random = SeededRandom(state: 31)
    var seen: [String: Int] = [:]
    for _ in 0..<4000 {
      let allow = (0..<Int.random(in: 0...6, using: &random)).map { _ in NaivePeer.random(using: &random) }
      let deny = (0..<Int.random(in: 0...6, using: &random)).map { _ in NaivePeer.random(using: &random) }
      // No list admits everyone, an empty one no one.
      let hasList = !allow.isEmpty || Bool.random(using: &random)
      let rules = AccessRules(
        allow: hasList ? try allow.map { try #require(AccessPeer($0.text)) } : nil,
        deny: try deny.map { try #require(AccessPeer($0.text)) })
      for _ in 0..<5 {
        let client = NaiveClient.random(using: &random)
        let expected = NaivePeer.decision(allow: hasList ? allow : nil, deny: deny, on: client)
        #expect(
          rules.decision(on: client.address, user: client.user) == expected,
          "allow \(allow.map(\.text)), deny \(deny.map(\.text)), client \(client)")
        seen[String("\(expected)".prefix { $0 != "(" }), default: 0] += 1
      }
    }
    // All of it was tried.
    #expect(["allow", "deny", "notAllowed", "open"].allSatisfy { seen[$0, default: 0] > 100 }, "\(seen)")
  }
}

/// Few different bits, so that rules and clients meet.
private func fewBits(_ count: Int, using random: inout SeededRandom) -> [Bool] {
  (0..<count).map { _ in Int.random(in: 0..<8, using: &random) == 0 }
}

private func socketAddress(_ bits: [Bool]) -> SocketAddress {
  func number(_ bits: ArraySlice<Bool>) -> UInt64 { bits.reduce(0) { $0 << 1 | ($1 ? 1 : 0) } }
  return bits.count == 32
    ? .ipv4(IPv4Address(rawValue: UInt32(number(bits[...]))), port: 1)
    : .ipv6(IPv6Address(high: number(bits[..<64]), low: number(bits[64...])), port: 1, scope: 0)
}

private struct NaiveClient {
  var address: SocketAddress?
  var user: UInt32?
  /// Nil on a Unix socket.
  var bits: [Bool]?

  static func random(using random: inout SeededRandom) -> NaiveClient {
    let bits = fewBits(Bool.random(using: &random) ? 32 : 128, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return NaiveClient(address: .unixUnnamed, user: UInt32.random(in: 0...3, using: &random))
    case 1 where bits.count == 32:
      let mapped = [Bool](repeating: false, count: 80) + [Bool](repeating: true, count: 16) + bits
      return NaiveClient(address: socketAddress(mapped), bits: bits)
    default: return NaiveClient(address: socketAddress(bits), bits: bits)
    }
  }
}

private enum NaivePeer {
  case bits([Bool], family: Int)
  case user(UInt32)
  case anyUser

  static func random(using random: inout SeededRandom) -> NaivePeer {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return .anyUser
    case 1: return .user(UInt32.random(in: 0...3, using: &random))
    default:
      let family = Bool.random(using: &random) ? 32 : 128
      // Short ones mostly, which contain somebody.
      let longest = Bool.random(using: &random) ? family : 6
      let bits = fewBits(Int.random(in: 0...longest, using: &random), using: &random)
      return .bits(bits, family: family)
    }
  }

  var text: String {
    switch self {
    case .anyUser: return "unix:*"
    case .user(let user): return "unix:\(user)"
    case .bits(let bits, let family):
      let whole = bits + [Bool](repeating: false, count: family - bits.count)
      switch socketAddress(whole) {
      case .ipv4(let host, _): return "\(host)/\(bits.count)"
      case .ipv6(let host, _, _): return "\(host)/\(bits.count)"
      default: return ""
      }
    }
  }

  private var weight: Int {
    switch self {
    case .anyUser: 0
    case .user: 1
    case .bits(let bits, _): bits.count
    }
  }

  private func matches(_ client: NaiveClient) -> Bool {
    switch self {
    case .anyUser: client.bits == nil
    case .user(let user): client.bits == nil && client.user == user
    case .bits(let bits, let family):
      client.bits.map { $0.count == family && Array($0.prefix(bits.count)) == bits } ?? false
    }
  }

  static func decision(allow: [NaivePeer]?, deny: [NaivePeer], on client: NaiveClient) -> AccessRules.Rule {
    func best(_ peers: [NaivePeer]) -> (weight: Int, place: Int)? {
      var best: (weight: Int, place: Int)?
      for (place, peer) in peers.enumerated() where peer.matches(client) {
        if best == nil || peer.weight > best!.weight { best = (peer.weight, place) }
      }
      return best
    }
    switch (best(allow ?? []), best(deny)) {
    case (nil, nil): return allow == nil ? .open : .notAllowed
    case (let allowed?, nil): return .allow(allowed.place)
    case (nil, let denied?): return .deny(denied.place)
    case (let allowed?, let denied?):
      return denied.weight >= allowed.weight ? .deny(denied.place) : .allow(allowed.place)
    }
  }
}
