import Admission
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@Suite struct IPNetworkTests {
  private func network(_ text: String) throws -> IPNetwork { try IPNetwork(parsing: text) }

  @Test(
    "is read and shown",
    arguments: [
      ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.7", "192.0.2.7"), ("192.0.2.7/32", "192.0.2.7"),
      ("0.0.0.0/0", "0.0.0.0/0"), ("128.0.0.0/1", "128.0.0.0/1"), ("10.0.0.0/08", "10.0.0.0/8"),
      ("255.255.255.254/31", "255.255.255.254/31"), ("::/0", "::/0"), ("2001:DB8::/32", "2001:db8::/32"),
      ("2001:db8::1", "2001:db8::1"), ("2001:db8::1/128", "2001:db8::1"), ("8000::/1", "8000::/1"),
      ("2001:db8:0:1::/64", "2001:db8:0:1::/64"), ("2001:db8:0:1:8000::/65", "2001:db8:0:1:8000::/65"),
      ("2001:db8::fffe/127", "2001:db8::fffe/127"), ("::/96", "::/96"), ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
      ("::ffff:192.0.2.7", "192.0.2.7"), ("::ffff:c000:207/128", "192.0.2.7"), ("::ffff:0:0/96", "0.0.0.0/0"),
      ("::ffff:128.0.0.0/97", "128.0.0.0/1"),
    ])
  func isRead(text: String, shown: String) throws { #expect("\(try network(text))" == shown) }

  @Test(
    "is nothing else",
    arguments: [
      "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/24/", "192.0.2.0/24/8",
      "192.0.2.0/24 ", " 192.0.2.0/24", "192.0.2.0 /24", "192.0.2.0/2x", "192.0.2/24", "192.0.2.256", "192.0.2.0/٢",
      "192.0.2.0/255.255.255.0", "::/129", "::/-1", "[::]/0", "fe80::%lo/64", "fe80::1%1", "example.org", "unix:*",
      "192.0.2.0/9223372036854775807", "::/9223372036854775807", "::/99999999999999999999",
      "::ffff:192.0.2.0/129", "192.0.2.7\0", "192.0.2.0/24\0", "*",
    ])
  func isNothingElse(text: String) {
    #expect(throws: IPNetwork.Problem.malformed) { try IPNetwork(parsing: text) }
    #expect("\(IPNetwork.Problem.malformed)" == "expected a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7")
  }

  @Test(
    "has no bits after its prefix, and says which network was probably meant",
    arguments: [
      ("192.0.2.7/24", "192.0.2.0/24"), ("10.1.0.0/8", "10.0.0.0/8"), ("0.0.0.1/0", "0.0.0.0/0"),
      ("192.0.2.1/31", "192.0.2.0/31"), ("2001:db8::1/64", "2001:db8::/64"), ("2001:db8:0:1::/63", "2001:db8::/63"),
      ("::1/0", "::/0"), ("::1/127", "::/127"), ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
      ("::ffff:192.0.2.0/95", "::fffe:0:0/95"), ("::ffff:192.0.2.0/64", "::/64"),
      // The bits that make an address a mapped one are bits too.
      ("::ffff:0.0.0.0/80", "::/80"), ("::ffff:0:0/0", "::/0"),
    ])
  func hasNoHostBits(text: String, meant: String) throws {
    #expect(throws: IPNetwork.Problem.hostBits(meant)) { try IPNetwork(parsing: text) }
    #expect("\(IPNetwork.Problem.hostBits(meant))" == "bits after the prefix are set; did you mean \(meant)?")
    #expect("\(try network(meant))" == meant)
  }

  @Test(
    "contains its addresses",
    arguments: [
      ("192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
      ("192.0.2.0/24", "192.0.2.7", "192.0.2.8", "192.0.1.255"),
      ("10.0.0.0/8", "10.0.0.0", "10.255.255.255", "11.0.0.0"), ("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6"),
      ("192.0.2.6/31", "192.0.2.6", "192.0.2.7", "192.0.2.8"),
      ("128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255"),
    ])
  func containsIPv4(text: String, first: String, last: String, outside: String) throws {
    let network = try network(text)
    for (host, isInside) in [(first, true), (last, true), (outside, false)] {
      let address = try #require(IPv4Address(host))
      #expect(network.contains(address) == isInside, "\(host)")
      // Written as IPv6, it is the same address.
      #expect(network.contains(try #require(IPv6Address("::ffff:\(host)"))) == isInside, "mapped \(host)")
      #expect(network.contains(try #require(IPv6Address("::\(host)"))) == false)
    }
  }

  @Test("contains networks that are part of it, and itself")
  func containsNetworks() throws {
    let nested = try ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"].map { try IPNetwork(parsing: $0) }
    let others = try ["::/0", "2001:db8::/32", "2001:db8::/80", "2001:db8::1"].map { try IPNetwork(parsing: $0) }
    for networks in [nested, others] {
      for (index, network) in networks.enumerated() {
        #expect(networks.map { network.contains($0) } == networks.indices.map { $0 >= index }, "\(network)")
      }
    }
    #expect(nested.allSatisfy { network in others.allSatisfy { !network.contains($0) && !$0.contains(network) } })
    #expect(try !IPNetwork(parsing: "2001:db8:0:0:1::/80").contains(IPNetwork(parsing: "2001:db8::1")))
  }

  @Test(
    "contains its IPv6 addresses",
    arguments: [
      ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
      ("2001:db8:0:1::/64", "2001:db8:0:1::", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::"),
      ("2001:db8:0:1:8000::/65", "2001:db8:0:1:8000::", "2001:db8:0:1:ffff::", "2001:db8:0:1:7fff:ffff:ffff:ffff"),
      ("2001:db8::7", "2001:db8::7", "2001:db8::7", "2001:db8::6"),
      ("2001:db8::6/127", "2001:db8::6", "2001:db8::7", "2001:db8::8"),
      ("8000::/1", "8000::", "ffff::", "7fff::"),
    ])
  func containsIPv6(text: String, first: String, last: String, outside: String) throws {
    let network = try network(text)
    for host in [first, last] { #expect(network.contains(try #require(IPv6Address(host))), "\(host)") }
    #expect(!network.contains(try #require(IPv6Address(outside))))
    #expect(!network.contains(IPv6Address.any) && !network.contains(IPv4Address.any))
  }

  @Test("of all IPv6 addresses has none of IPv4, and the other way round")
  func keepsFamiliesApart() throws {
    let (old, new) = (try network("0.0.0.0/0"), try network("::/0"))
    let host = try #require(IPv4Address("192.0.2.7"))
    let mapped = try #require(IPv6Address("::ffff:192.0.2.7"))
    let plain = try #require(IPv6Address("2001:db8::1"))
    #expect(old.contains(host) && old.contains(mapped) && !old.contains(plain))
    #expect(!new.contains(host) && !new.contains(mapped) && new.contains(plain))
    #expect(old != new && old.isIPv4 && !new.isIPv4)
    #expect(IPNetwork(mapped) == IPNetwork(host))
    #expect(try IPNetwork(mapped, prefixLength: 120) == network("192.0.2.0/24"))
  }

  @Test("cuts a prefix that its family does not have")
  func cutsPrefixes() throws {
    #expect(try IPNetwork(.loopback as IPv4Address, prefixLength: 99) == network("127.0.0.1"))
    #expect(try IPNetwork(.loopback as IPv4Address, prefixLength: -1) == network("0.0.0.0/0"))
    #expect(try IPNetwork(.loopback as IPv6Address, prefixLength: 999) == network("::1"))
    #expect(try IPNetwork(.loopback as IPv6Address, prefixLength: -1) == network("::/0"))
  }

  @Test("is read again as it was shown, and contains the addresses that begin as it does")
  func isReadAgain() throws {
    var random = SeededRandom(state: 11)
    func bits() -> UInt64 {
      let all = UInt64.random(in: 0...(.max), using: &random)
      // Few bits and many zeros too, where texts are shortened.
      return [all, 0, .max, 1, all >> 40, all << 48, 0xffff_0000_0000 | all >> 32].randomElement(using: &random)!
    }
    for _ in 0..<20_000 {
      let host = IPv6Address(high: bits(), low: bits())
      let length = Int.random(in: 0...128, using: &random)
      let new = IPNetwork(host, prefixLength: length)
      #expect(try network("\(new)") == new, "\(host)/\(length)")
      #expect(new.contains(host) == (host.unmapped == nil || length >= 96), "\(host)/\(length)")
      // One bit flipped: still inside exactly if the bit does not count.
      let bit = Int.random(in: 0...127, using: &random)
      let flipped = IPv6Address(
        high: host.high ^ (bit < 64 ? 1 << UInt64(63 - bit) : 0),
        low: host.low ^ (bit < 64 ? 0 : 1 << UInt64(127 - bit)))
      if host.unmapped == nil, flipped.unmapped == nil { #expect(new.contains(flipped) == (bit >= length)) }

      let oldHost = IPv4Address(rawValue: UInt32(truncatingIfNeeded: bits()))
      let oldLength = Int.random(in: 0...32, using: &random)
      let old = IPNetwork(oldHost, prefixLength: oldLength)
      #expect(try network("\(old)") == old, "\(oldHost)/\(oldLength)")
      #expect(old.contains(oldHost) && old.prefixLength == oldLength && old.isIPv4)
      let oldBit = Int.random(in: 0...31, using: &random)
      #expect(old.contains(IPv4Address(rawValue: oldHost.rawValue ^ 1 << UInt32(31 - oldBit))) == (oldBit >= oldLength))
    }
  }
}
