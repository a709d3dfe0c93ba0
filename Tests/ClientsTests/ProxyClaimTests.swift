import ProxyProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct ProxyClaimTests {
  /// The ends that a header names.
  private func ends(_ header: some Sequence<UInt8>) -> ProxyHeader.Addresses? {
    Array(header).withUnsafeBytes { bytes in
      guard case .header(let header) = ProxyHeader.parse(bytes), header.length == bytes.count else { return nil }
      return header.addresses
    }
  }

  @Test(
    "names this end, or the client it is told, its port included",
    arguments: [
      (nil, "127.0.0.1:4000", "127.0.0.1:7", "127.0.0.1:4000", "127.0.0.1:7"),
      ("192.0.2.7", "127.0.0.1:4000", "127.0.0.1:7", "192.0.2.7:4000", "127.0.0.1:7"),
      ("192.0.2.7:9", "127.0.0.1:4000", "127.0.0.1:7", "192.0.2.7:9", "127.0.0.1:7"),
      ("2001:db8::7", "127.0.0.1:4000", "127.0.0.1:7", "[2001:db8::7]:4000", "127.0.0.1:7"),
      ("[2001:db8::7]:9", "[::1]:4000", "[::1]:7", "[2001:db8::7]:9", "[::1]:7"),
      ("192.0.2.7:9", "unix", "/run/socket", "192.0.2.7:9", "0.0.0.0:0"),
      ("2001:db8::7", "unix", "/run/socket", "[2001:db8::7]:0", "[::]:0"),
    ] as [(String?, String, String, String, String)])
  func namesClient(client: String?, local: String, target: String, source: String, destination: String) throws {
    for version in ProxyClaim.Version.allCases {
      let claim = ProxyClaim(version, client: try client.map { try #require(ProxyClaim.client($0)) })
      let destinationAddress = try #require(SocketAddress(target))
      let header = claim.header(from: SocketAddress(local) ?? .unixUnnamed, to: destinationAddress)
      let named = try #require(ends(header))
      #expect("\(named.source)" == source && "\(named.destination)" == destination, "\(version)")
    }
  }

  @Test("names nothing where both ends are Unix sockets and no client is given")
  func namesNothing() {
    let line = ProxyClaim(.one).header(from: .unixUnnamed, to: .unixPath("/run/socket"))
    #expect(line == Array("PROXY UNKNOWN\r\n".utf8))
    #expect(ends(ProxyClaim(.two).header(from: .unixUnnamed, to: .unixPath("/run/socket"))) == nil)
  }

  @Test(
    "takes internet addresses for clients",
    arguments: ["", "x", "/run/socket", "@a", "192.0.2", "192.0.2.7:", "[::1]", "::1:x"])
  func takesAddresses(text: String) { #expect(ProxyClaim.client(text) == nil) }
}

@Suite struct ClaimedClientsTests {
  @Test("are all different, of the network for measurements, and come again", arguments: ProxyClaim.Version.allCases)
  func areDifferent(version: ProxyClaim.Version) {
    var clients = ClaimedClients(version, count: 600, to: .ipv4(.loopback, port: 7))
    var seen: Set<SocketAddress> = []
    for _ in 0..<600 {
      guard case .header(let header) = ProxyHeader.parse(clients.header(clients.take())),
        case .ipv4(let host, _)? = header.addresses?.source
      else {
        Issue.record("no header of an IPv4 client")
        return
      }
      #expect(host.rawValue >> 16 == 198 << 8 | 18 && header.addresses?.destination == .ipv4(.loopback, port: 7))
      seen.insert(.ipv4(host, port: 0))
    }
    #expect(seen.count == 600 && clients.count == 600)
    let first = clients.take()
    for _ in 1..<600 { _ = clients.take() }
    #expect(clients.take() == first)
  }

  @Test("send nothing without a version")
  func sendNothing() {
    var clients = ClaimedClients(nil, count: 3, to: .ipv4(.loopback, port: 7))
    #expect(clients.count == 0 && clients.header(clients.take()).isEmpty)
  }
}
