import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct IPAddressTests {
  @Test(
    "is an IPv4 address",
    arguments: [
      ("0.0.0.0", 0), ("127.0.0.1", 0x7f00_0001), ("192.0.2.7", 0xc000_0207), ("255.255.255.255", .max),
      ("1.2.3", nil), ("1.2.3.256", nil), ("1.2.3.4 ", nil), ("", nil), ("0x7f.0.0.1", nil),
    ] as [(String, UInt32?)])
  func isIPv4(text: String, number: UInt32?) {
    let address = IPv4Address(text)
    #expect(address?.rawValue == number)
    if let address { #expect("\(address)" == text && written { address.write(to: &$0) } == text) }
  }

  @Test(
    "is an IPv6 address in the form of RFC 5952",
    arguments: [
      ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
      ("fe80::1%lo", nil), ("[::1]", nil), ("1:2:3:4:5:6:7", nil), ("12345::", nil), ("", nil),
    ] as [(String, String?)])
  func isIPv6(text: String, shown: String?) {
    let address = IPv6Address(text)
    #expect(address.map { "\($0)" } == shown)
    #expect(address.map { address in written { address.write(to: &$0) } } == shown)
  }

  @Test("has no NUL in its text, after which C would not look")
  func hasNoNUL() { #expect(IPv4Address("1.2.3.4\0") == nil && IPv6Address("::1\0") == nil) }

  @Test(
    "stands for an IPv4 address where it is mapped",
    arguments: [
      ("::ffff:192.0.2.7", "192.0.2.7"), ("::ffff:0.0.0.0", "0.0.0.0"), ("::ffff:ffff:ffff", "255.255.255.255"),
      ("::192.0.2.7", nil), ("::fffe:192.0.2.7", nil), ("1::ffff:192.0.2.7", nil), ("64:ff9b::192.0.2.7", nil),
      ("::1", nil),
    ] as [(String, String?)])
  func isUnmapped(text: String, plain: String?) {
    #expect(IPv6Address(text)?.unmapped.map { "\($0)" } == plain)
    #expect(IPv6Address(text) != nil)
  }
}
