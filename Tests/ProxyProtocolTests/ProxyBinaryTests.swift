import ProxyProtocol
import Testing

@testable import ProxyProtocol

@Suite("A header of version 2")
struct ProxyBinaryTests {
  @Test(
    "is read",
    arguments: [
      // As HAProxy 2.6 sends it with send-proxy-v2.
      (
        bytes("0d0a0d0a000d0a515549540a 2111000c c0a801b4 c0a80118 f74c 075b"), "192.168.1.180:63308",
        "192.168.1.24:1883"
      ),
      (binary(0x21, 0x11, addresses), "192.0.2.7:4000", "198.51.100.1:443"),
      (
        binary(0x21, 0x21, bytes("20010db8000000000000000000000001 20010db8000000000000000000000002 04d2 1f90")),
        "[2001:db8::1]:1234", "[2001:db8::2]:8080"
      ),
      // The address of an IPv4 client behind a socket of both families.
      (
        binary(0x21, 0x21, bytes("00000000000000000000ffffc0000207 20010db8000000000000000000000002 04d2 1f90")),
        "192.0.2.7:1234", "[2001:db8::2]:8080"
      ),
    ])
  func isRead(header: [UInt8], source: String, destination: String) {
    let expected = ParsedHeader(length: header.count, version: 2, from: source, to: destination)
    #expect(Parsed(header) == .header(expected))
    #expect(Parsed(header + Array("data".utf8)) == .header(expected))
    // The second of two headers is data.
    #expect(Parsed(header + header) == .header(expected))
    for length in 0..<header.count { #expect(Parsed(Array(header.prefix(length))) == .incomplete) }
  }

  @Test("of a connection without a client is skipped, with whatever follows its length")
  func skipsLocal() {
    // HAProxy's check of a server.
    #expect(Parsed(bytes("0d0a0d0a000d0a515549540a 20000000")) == .header(ParsedHeader(length: 16, version: 2)))
    // A network load balancer's: with a checksum.
    let check = bytes("0d0a0d0a000d0a515549540a 20000007 030004 a9b87e8f")
    #expect(Parsed(check + [1]) == .header(ParsedHeader(length: 23, version: 2)))
    // Its block is skipped, and is not looked at: not its family, not its addresses, not what is behind them.
    for family: UInt8 in [0x11, 0x21, 0x31, 0x00, 0x41, 0x13, 0xff] {
      let header = binary(0x20, family, addresses + bytes("ff ffff"))
      #expect(Parsed(header + [1]) == .header(ParsedHeader(length: header.count, version: 2)), "\(family)")
      #expect(Parsed(header.dropLast()) == .incomplete)
    }
  }

  @Test("of a family or transport without an address of a stream means the ends of the proxy's connection")
  func hasNoAddresses() {
    for (family, block) in [(0x00, 0), (0x01, 0), (0x02, 0), (0x10, 12), (0x20, 36), (0x30, 216)] as [(UInt8, Int)] {
      for length in [0, block, block + 2] {
        let header = binary(0x21, family, [UInt8](repeating: 7, count: length))
        #expect(Parsed(header) == .header(ParsedHeader(length: header.count, version: 2)), "\(family) \(length)")
      }
    }
    for (family, block) in [(0x12, 12), (0x22, 36), (0x31, 216), (0x32, 216)] as [(UInt8, Int)] {
      let rest = [UInt8](repeating: 7, count: block)
      let header = binary(0x21, family, rest + bytes("020001 61"))
      #expect(
        Parsed(header)
          == .header(ParsedHeader(length: header.count, version: 2, variables: ["SSL_TLS_SNI_SERVERNAME": "a"])))
      #expect(Parsed(binary(0x21, family, rest.dropLast())) == .invalid(.addressesTooShort(block - 1, block)))
    }
  }

  @Test("with the length 0 and a family of the internet is refused")
  func refusesLengthZero() {
    #expect(Parsed(binary(0x21, 0x11, [])) == .invalid(.addressesTooShort(0, 12)))
    #expect(Parsed(binary(0x21, 0x21, [])) == .invalid(.addressesTooShort(0, 36)))
    #expect(Parsed(binary(0x21, 0x11, addresses.dropLast())) == .invalid(.addressesTooShort(11, 12)))
    // An IPv6 client with the length of IPv4.
    #expect(Parsed(binary(0x21, 0x21, addresses)) == .invalid(.addressesTooShort(12, 36)))
  }

  @Test("has the version 2, a known command, family and transport")
  func hasKnownParts() {
    let cases: [(UInt8, UInt8, ProxyProblem)] = [
      (0x11, 0x11, .wrongVersion(1)), (0x31, 0x11, .wrongVersion(3)), (0x01, 0x11, .wrongVersion(0)),
      (0x22, 0x11, .unknownCommand(2)), (0x2f, 0x11, .unknownCommand(15)), (0x21, 0x41, .unknownFamily(4)),
      (0x21, 0xf1, .unknownFamily(15)), (0x21, 0x13, .unknownTransport(3)), (0x21, 0x1f, .unknownTransport(15)),
    ]
    for (command, family, problem) in cases {
      // It is refused before the rest has come.
      #expect(Parsed(signature + [command, family]) == .invalid(problem))
      #expect(Parsed(binary(command, family, addresses)) == .invalid(problem))
    }
  }

  @Test("has at most 4,096 bytes, and is refused before they have come")
  func isBounded() {
    let rest = addresses + bytes("04 0fe1") + [UInt8](repeating: 0, count: 4065)
    #expect(Parsed(binary(0x21, 0x11, rest)).header?.length == ProxyHeader.maxLength)
    #expect(Parsed(binary(0x21, 0x11, rest + [0])) == .invalid(.tooLong(4097)))
    for family: UInt8 in [0x11, 0x00] {
      #expect(Parsed(signature + [0x21, family, 0xff, 0xff]) == .invalid(.tooLong(65551)))
    }
    #expect(Parsed(signature + [0x20, 0, 0x13, 0x78]) == .invalid(.tooLong(5000)))
    #expect("\(ProxyProblem.tooLong(5000))" == "v2 header of 5000 bytes is longer than 4096")
  }

  @Test("has extensions that fill its length")
  func hasWholeExtensions() {
    func parsed(_ extensions: String) -> Parsed { Parsed(binary(0x21, 0x11, addresses + bytes(extensions))) }
    // HAProxy's own tests of the validation: 8 bytes for a value of 10, of 4.
    #expect(parsed("02 000a 3132333435") == .invalid(.overrun(2)))
    #expect(parsed("02 0004 31323334 35") == .invalid(.rest))
    #expect(parsed("02") == .invalid(.rest) && parsed("0200") == .invalid(.rest))
    #expect(parsed("04 ffff") == .invalid(.overrun(4)))
    #expect(parsed("04 0000 04 0001 00").header?.length == 35)
    // An extension behind the header is data.
    let header = binary(0x21, 0x11, addresses + bytes("020005 3132333435"))
    #expect(Parsed(header + bytes("020005 3534333231")).header?.variables == ["SSL_TLS_SNI_SERVERNAME": "12345"])
    // Within the one about TLS as well.
    #expect(parsed("20 0004 01000000") == .invalid(.overrun(0x20)))
    #expect(parsed("20 0007 0100000000 2100") == .invalid(.rest))
    #expect(parsed("20 0008 0100000000 210001") == .invalid(.overrun(0x21)))
  }

  @Test("has a right checksum, or none")
  func hasChecksum() {
    // From RFC 3720 appendix B.4, and one that a network load balancer sent.
    let zeros = [UInt8](repeating: 0, count: 32).withUnsafeBytes { castagnoliChecksum($0, zeroing: 0..<0) }
    #expect(zeros == 0x8a91_36aa)
    let check = bytes("0d0a0d0a000d0a515549540a 20000007 030004 a9b87e8f")
    #expect(check.withUnsafeBytes { castagnoliChecksum($0, zeroing: 19..<23) } == 0xa9b8_7e8f)

    let addresses = ProxyHeader.Addresses(source: .ipv4(.loopback, port: 1), destination: .ipv4(.any, port: 2))
    let id = ProxyHeader.Extension(type: 5, value: [1, 2])
    let header = ProxyHeader.binary(addresses, extensions: [id], hasChecksum: true)
    #expect(Parsed(header).header?.variables == ["PROXY_UNIQUE_ID": "0102"])
    // Without the type of the checksum it is a header without one.
    for place in header.indices.dropFirst(16) where place != header.count - 7 {
      var broken = header
      broken[place] ^= 1
      #expect(Parsed(broken).header == nil, "\(place)")
    }
    var withoutField = header
    withoutField.replaceSubrange((header.count - 4)..., with: [])
    withoutField[header.count - 5] = 0
    withoutField[15] -= 4
    #expect(Parsed(withoutField) == .invalid(.wrongChecksum))
  }

  @Test("is refused with a second checksum, because each costs a look at all of it")
  func hasOneChecksum() {
    let field = ProxyHeader.Extension(type: 3, value: [0, 0, 0, 0])
    var header = ProxyHeader.binary(
      ProxyHeader.Addresses(source: .ipv4(.any, port: 1), destination: .ipv4(.any, port: 2)),
      extensions: [field, field])
    let first = 31..<35
    let checksum = header.withUnsafeBytes { castagnoliChecksum($0, zeroing: first) }
    header.replaceSubrange(first, with: checksum.bigEndianBytes)
    #expect(Parsed(header) == .invalid(.secondChecksum))
  }
}
