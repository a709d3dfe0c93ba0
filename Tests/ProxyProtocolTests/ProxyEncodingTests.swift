import ProxyProtocol
import Testing
import UnixCore

@Suite("A written header")
struct ProxyEncodingTests {
  private func ends(_ source: String, _ destination: String) throws -> ProxyHeader.Addresses {
    ProxyHeader.Addresses(
      source: try #require(SocketAddress(source)), destination: try #require(SocketAddress(destination)))
  }

  @Test("is as the specification shows it")
  func isAsSpecified() throws {
    let line = ProxyHeader.line(try ends("192.168.0.1:56324", "192.168.0.11:443"))
    #expect(String(decoding: line, as: UTF8.self) == "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
    #expect(ProxyHeader.binary(try ends("192.0.2.7:4000", "198.51.100.1:443")) == binary(0x21, 0x11, addresses))
    #expect(ProxyHeader.binary(nil) == bytes("0d0a0d0a000d0a515549540a 20000000"))
    #expect(ProxyHeader.line(nil) == Array("PROXY UNKNOWN\r\n".utf8))
  }

  @Test(
    "is read as it was written",
    arguments: [
      ("192.0.2.7:0", "198.51.100.1:65535"), ("[2001:db8::7]:1", "[::1]:2"), ("192.0.2.7:4000", "[2001:db8::1]:443"),
      ("[2001:db8::1]:443", "192.0.2.7:4000"), ("[::ffff:192.0.2.7]:1", "[::1]:2"), ("[::1.2.3.4]:1", "[::]:2"),
    ])
  func isReadAsWritten(source: String, destination: String) throws {
    let ends = try self.ends(source, destination)
    for header in [ProxyHeader.line(ends), ProxyHeader.binary(ends), ProxyHeader.binary(ends, hasChecksum: true)] {
      let parsed = try #require(Parsed(header).header)
      #expect(parsed.length == header.count && parsed.version == (header.first == 0x0d ? 2 : 1))
      #expect(parsed.source == "\(ends.source)" && parsed.destination == "\(ends.destination)")
    }
  }

  @Test("of Unix sockets names no addresses")
  func ofUnixSockets() throws {
    let ends = try self.ends("/run/a", "@b")
    #expect(ProxyHeader.binary(ends) == binary(0x21, 0x00, []))
    #expect(ProxyHeader.line(ends) == ProxyHeader.line(nil))
  }
}
