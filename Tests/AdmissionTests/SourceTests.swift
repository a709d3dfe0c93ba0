import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite struct SourceTests {
  private func source(_ text: String, user: UInt32? = nil, _ prefix: SourcePrefix = SourcePrefix()) throws -> Source {
    Source(try peer(text), user: user, prefix: prefix)
  }

  @Test("is one address of IPv4, and what begins with the same 64 bits of IPv6")
  func isOneAddress() throws {
    #expect(try source("192.0.2.7") == source("192.0.2.7"))
    #expect(try source("192.0.2.7") != source("192.0.2.6"))
    #expect(try source("2001:db8::1") == source("2001:db8::ffff:ffff:ffff:ffff"))
    #expect(try source("2001:db8::1") != source("2001:db8:0:1::1"))
    #expect(
      Source(.ipv6(.loopback, port: 1, scope: 0), user: nil, prefix: SourcePrefix())
        == Source(.ipv6(.loopback, port: 2, scope: 3), user: 4, prefix: SourcePrefix()))
  }

  @Test(
    "has as many bits as are set",
    arguments: [
      (24, 64, "192.0.2.0", "192.0.2.255", "192.0.3.0"), (1, 64, "0.0.0.0", "127.255.255.255", "128.0.0.0"),
      (31, 64, "192.0.2.6", "192.0.2.7", "192.0.2.8"), (32, 48, "2001:db8::", "2001:db8:0:ffff::1", "2001:db8:1::"),
      (32, 1, "::2", "7fff::", "8000::"), (32, 65, "2001:db8::", "2001:db8::7fff:0:0:0", "2001:db8::8000:0:0:0"),
      (32, 128, "2001:db8::1", "2001:db8::1", "2001:db8::2"), (32, 127, "2001:db8::2", "2001:db8::3", "2001:db8::4"),
    ])
  func hasItsBits(old: Int, new: Int, first: String, last: String, other: String) throws {
    let prefix = SourcePrefix(ipv4: old, ipv6: new)
    #expect(try source(first, prefix) == source(last, prefix))
    #expect(try source(first, prefix) != source(other, prefix))
  }

  @Test(
    "is the IPv4 address that a mapped one stands for", arguments: [SourcePrefix(), SourcePrefix(ipv4: 24, ipv6: 1)])
  func isUnmapped(prefix: SourcePrefix) throws {
    #expect(try source("::ffff:192.0.2.7", prefix) == source("192.0.2.7", prefix))
    #expect(try source("::192.0.2.7", prefix) != source("192.0.2.7", prefix))
    #expect(try source("::ffff:192.0.2.7") != source("::ffff:192.0.2.8"))
  }

  @Test("is a user on a Unix socket, whatever the socket is called")
  func isAUser() throws {
    #expect(try source("/run/a", user: 0) == source("@b", user: 0))
    #expect(try source("/run/a", user: 0) != source("/run/a", user: 1))
    #expect(try source("/run/a") != source("/run/a", user: 0))
    #expect(Source(nil, user: nil, prefix: SourcePrefix()) == Source(.unixUnnamed, user: nil, prefix: SourcePrefix()))
    for text in ["0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1"] {
      for user: UInt32? in [nil, 0, .max] { #expect(try source(text) != source("@", user: user)) }
    }
  }
}
