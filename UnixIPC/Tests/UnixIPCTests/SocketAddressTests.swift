import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite struct SocketAddressTests {
  @Test(
    "is read",
    arguments: [
      ("127.0.0.1:80", .ipv4(.loopback, port: 80)), ("0.0.0.0:0", .ipv4(.any, port: 0)),
      ("255.255.255.255:65535", .ipv4(IPv4Address(rawValue: .max), port: 65535)),
      ("[::1]:80", .ipv6(.loopback, port: 80)), ("[::]:0", .ipv6(.any, port: 0)),
      ("[2001:db8::7]:443", .ipv6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 7), port: 443)),
      ("[::ffff:192.0.2.7]:7", .ipv6(IPv6Address(high: 0, low: 0xffff_c000_0207), port: 7)),
      ("[fe80::1%4294967295]:1", .ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 1, scope: .max)),
      ("/run/begat/control", .unixPath("/run/begat/control")), ("/", .unixPath("/")),
      ("/with:colon", .unixPath("/with:colon")), ("@name", .unixAbstract(Array("name".utf8))),
      ("@", .unixAbstract([])), ("@/a:1", .unixAbstract(Array("/a:1".utf8))),
    ] as [(String, SocketAddress)])
  func isRead(text: String, address: SocketAddress) { #expect(SocketAddress(text) == address) }

  @Test(
    "has a host without its port",
    arguments: [
      ("192.0.2.7:80", "192.0.2.7"), ("[::1]:80", "::1"), ("[::ffff:192.0.2.7]:7", "192.0.2.7"),
      ("[fe80::1%7]:1", "fe80::1%7"), ("/run/begat", nil), ("@name", nil),
    ] as [(String, String?)])
  func hasAHost(text: String, host: String?) { #expect(SocketAddress(text)?.host == host) }

  @Test("is read with its zone by name or number")
  func isReadWithZone() {
    let index = if_nametoindex("lo")
    let address = SocketAddress.ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 9, scope: index)
    #expect(SocketAddress("[fe80::1%lo]:9") == address)
    #expect(SocketAddress("[fe80::1%\(index)]:9") == address)
    #expect("\(address)" == "[fe80::1%\(index)]:9")
  }

  @Test(
    "is nothing else",
    arguments: [
      "", ":", "80", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
      "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:80 ", " 127.0.0.1:80", "127.0.0.1:http", "127.0.0.1:0x50", "127.1:80",
      "256.0.0.1:80", "1.2.3.4.5:80", "01.2.3.4:80x", "::1:80", "[::1]", "[::1]80", "[::1:80", "::1]:80", "[]:80",
      "[::1%]:80", "[::1%0]:80", "[::1%nonexistent0]:80", "[127.0.0.1]:80", "[1::2::3]:80", "[:::1]:80",
      "127.0.0.1:80:80", "*:80", "relative/path", "127.0.0.1:٨٠",
    ])
  func isNothingElse(text: String) { #expect(SocketAddress(text) == nil) }

  @Test("is nothing with a NUL, after which C would not look")
  func isNothingWithANUL() {
    for text in ["127.0.0.1\0.evil:80", "[::1\0]:80", "[::1%lo\0x]:80"] {
      #expect(SocketAddress(text) == nil, "\(escaped(text.utf8))")
    }
  }

  @Test(
    "is shown",
    arguments: [
      (.ipv4(.loopback, port: 80), "127.0.0.1:80"), (.ipv6(.any, port: 65535), "[::]:65535"),
      (.ipv6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 7), port: 443), "[2001:db8::7]:443"),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_c000_0207), port: 7), "192.0.2.7:7"),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_c000_0207), port: 7, scope: 3), "192.0.2.7:7"),
      (.ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 1, scope: 12), "[fe80::1%12]:1"),
      (.unixPath("/run/a b"), "/run/a b"), (.unixPath("/\u{1b}[2J\n"), "/\\x1b[2J\\x0a"), (.unixUnnamed, "unix"),
      (.unixAbstract([0, 255, 92, 65]), "@\\x00\\xff\\\\A"), (.unixAbstract([]), "@"),
    ] as [(SocketAddress, String)])
  func isShown(address: SocketAddress, text: String) {
    #expect("\(address)" == text)
    #expect(written { address.write(to: &$0) } == text)
  }

  @Test("is read again as it was shown and written as it is shown")
  func isReadAgain() {
    var random = SeededRandom(state: 1)
    for _ in 0..<5000 {
      let address = SocketAddress.random(using: &random)
      let text = "\(address)"
      #expect(SocketAddress(text) == address, "\(text)")
      #expect(written { address.write(to: &$0) } == text)
    }
  }

  @Test("never crashes on what is no address")
  func neverCrashes() {
    var random = SeededRandom(state: 2)
    let alphabet = Array("0123456789abcdef:.[]%/@lo \0é")
    for _ in 0..<20_000 {
      let text = String(
        (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
      guard let address = SocketAddress(text) else { continue }
      // What was read is shown in one form, which is read as the same, or as the IPv4 address it stands for.
      if !address.isUnix { #expect(SocketAddress("\(address)").map { "\($0)" } == "\(address)", "\(text)") }
    }
  }

  @Test("has a port where it is an internet address")
  func hasAPort() {
    #expect(SocketAddress.ipv4(.any, port: 7).port == 7)
    #expect(SocketAddress.ipv6(.any, port: 8).port == 8)
    for address: SocketAddress in [.unixPath("/a"), .unixAbstract([1]), .unixUnnamed] {
      #expect(address.port == nil && address.isUnix)
    }
  }

  @Test(
    "takes digits only for a number",
    arguments: [("0", 0), ("255", 255), ("007", 7), ("256", nil), ("-0", nil), ("+1", nil), ("", nil), ("1 ", nil)]
      as [(String, UInt8?)])
  func takesDigits(text: String, number: UInt8?) { #expect(UInt8(decimal: text) == number) }
}

extension SocketAddress {
  /// Of those kinds whose text is read as the same address.
  static func random(using random: inout SeededRandom) -> SocketAddress {
    let port = UInt16.random(in: 0...(.max), using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return .ipv4(IPv4Address(rawValue: .random(in: 0...(.max), using: &random)), port: port)
    case 1:
      // Runs of zeros, which the text leaves out.
      let masks: [UInt64] = [0, .max, 0xffff, 0xffff_0000_ffff_0000, 0xffff << 48]
      let high = UInt64.random(in: 1...(.max), using: &random) & masks.randomElement(using: &random)! | 1 << 63
      let low = UInt64.random(in: 0...(.max), using: &random) & masks.randomElement(using: &random)!
      return .ipv6(IPv6Address(high: high, low: low), port: port, scope: UInt32.random(in: 0...3, using: &random))
    case 2: return .unixPath("/" + plainText(using: &random))
    default: return .unixAbstract(Array(plainText(using: &random).utf8))
    }
  }

  private static func plainText(using random: inout SeededRandom) -> String {
    let printable = Array("abcXYZ019 ~!#$%&'()*+,-./:;<=>?@[]^_`{|}")
    return String((0..<Int.random(in: 0...40, using: &random)).map { _ in printable.randomElement(using: &random)! })
  }
}
