import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

@Suite struct AddressReaderTests {
  private static let loopback = IPv4Address.loopback

  private func read(_ text: String, isDatagram: Bool = false) throws -> [ListenAddress] {
    try AddressReader(isDatagram: isDatagram, NameServiceLookups(runtimeDirectory: "/run/begat")).read(text)
  }

  @Test(
    "reads addresses",
    arguments: [
      ("127.0.0.1:2345", .ipv4(loopback, port: 2345)), ("[::1]:2345", .ipv6(.loopback, port: 2345)),
      ("0.0.0.0:0", .ipv4(.any, port: 0)), ("[::]:65535", .ipv6(.any, port: 65535)),
      ("127.0.0.1:daytime", .ipv4(loopback, port: 13)), ("[::ffff:127.0.0.1]:7", .ipv4(loopback, port: 7)),
      ("[fe80::1%lo]:7", .ipv6(IPv6Address(high: 0xfe80 << 48, low: 1), port: 7, scope: 1)),
      ("/srv/s", .unixPath("/srv/s")), ("%t/catsock", .unixPath("/run/begat/catsock")),
      ("@name", .unixAbstract(Array("name".utf8))),
    ] as [(String, SocketAddress)])
  func readsAddresses(text: String, address: SocketAddress) throws {
    #expect(try read(text) == [.address(address, isOptional: false)])
  }

  @Test(
    "takes a port alone for both families", arguments: [("2345", 2345), ("http", 80), ("0", 0)] as [(String, UInt16)])
  func takesAPortForBothFamilies(text: String, port: UInt16) throws {
    #expect(
      try read(text) == [
        .address(.ipv4(.any, port: port), isOptional: true), .address(.ipv6(.any, port: port), isOptional: true),
      ])
  }

  @Test("looks up ports of datagrams among those of UDP")
  func looksUpPortsByTransport() throws {
    #expect(try read("127.0.0.1:tftp", isDatagram: true) == [.address(.ipv4(.loopback, port: 69), isOptional: false)])
    #expect(throws: ValueProblems.self) { try read("127.0.0.1:tftp") }
  }

  @Test("reads names of passed sockets") func readsNames() throws {
    #expect(try read("fd:web") == [.passed(name: "web")])
  }

  private static let expected =
    "expected PORT, IPV4:PORT, [IPV6]:PORT, /PATH, %t/PATH, @ABSTRACT or fd:NAME, found "
  private static let ports = "expected a port from 0 to 65535 or a tcp name of /etc/services, found "

  @Test(
    "refuses with a reason",
    arguments: [
      ("", expected + #""""#), ("nonsense", expected + #""nonsense""#), ("65536", expected + #""65536""#),
      ("-1", expected + #""-1""#), (":80", expected + #"":80""#), ("%h/x", expected + #""%h/x""#),
      ("%t", expected + #""%t""#), ("tcp", expected + #""tcp""#), ("a\nb", expected + #""a\x0ab""#),
      ("localhost:80", #"expected an address, not a name: "localhost:80""#),
      ("*:80", #"expected an address, not a name: "*:80""#),
      ("127.1:80", #"expected an address, not a name: "127.1:80""#),
      ("::1:80", #"expected an IPv6 address in brackets and a port, found "::1:80""#),
      ("[::1]", #"expected an IPv6 address in brackets and a port, found "[::1]""#),
      ("127.0.0.1:", ports + #""""#), ("127.0.0.1:65536", ports + #""65536""#), ("127.0.0.1:+1", ports + #""+1""#),
      ("127.0.0.1:no-such", ports + #""no-such""#), ("127.0.0.1:1 ", ports + #""1 ""#),
      ("[::g]:80", #"expected an address and a port, found "[::g]:80""#),
      ("[fe80::1%nonesuch]:80", #"expected an address and a port, found "[fe80::1%nonesuch]:80""#),
      ("@", "expected a name after @"), ("fd:", #"expected fd:NAME, found "fd:""#),
      ("fd:a:b", #"expected fd:NAME, found "fd:a:b""#),
      ("/", "expected the path of a socket, found a directory's"),
      ("%t/", "expected the path of a socket, found a directory's"),
    ])
  func refuses(text: String, message: String) throws {
    #expect(throws: ValueProblems(message)) { try read(text) }
  }

  @Test("knows how long a Unix socket's name may be")
  func knowsTheLongestName() throws {
    let path = "/" + String(repeating: "x", count: 106)
    #expect(try read(path) == [.address(.unixPath(UnixPath(path)), isOptional: false)])
    let message = "the path \(path)x has 108 bytes; a Unix socket's has at most 107"
    #expect(throws: ValueProblems(message)) { try read(path + "x") }
    #expect(throws: ValueProblems.self) { try read("@" + String(repeating: "x", count: 108)) }
    #expect(throws: ValueProblems.self) { try read("%t/" + String(repeating: "x", count: 100)) }
  }
}
