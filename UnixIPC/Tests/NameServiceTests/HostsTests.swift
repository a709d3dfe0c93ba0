import NameService
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct HostsTests {
  @Test(
    "gives addresses their port",
    arguments: [
      ("127.0.0.1", .ipv4(.loopback, port: 13)), ("::1", .ipv6(.loopback, port: 13)),
      ("127.2.3.4", .ipv4(IPv4Address(rawValue: 0x7f02_0304), port: 13)),
    ] as [(String, SocketAddress)])
  func givesPorts(host: String, address: SocketAddress) throws {
    #expect(try Hosts.addresses(of: host, port: 13) == [address])
  }

  @Test("knows localhost")
  func knowsLocalhost() throws {
    let found = try Hosts.addresses(of: "localhost", port: 7)
    #expect(found.contains(.ipv4(.loopback, port: 7)))
    #expect(found.count == Set(found).count)
    #expect(Hosts.name(of: .ipv4(.loopback, port: 7)) != nil)
  }

  @Test(
    "names what has no address, fit for a terminal",
    arguments: ["begat-none.invalid", "a\u{1b}b", "[::1]", "", "localhost\0x"])
  func hasNoAddress(host: String) {
    do throws(Hosts.LookupError) {
      _ = try Hosts.addresses(of: host, port: 7)
      Issue.record("it has one")
    } catch {
      #expect(error.host == host && !error.reason.isEmpty)
      #expect(error.description.utf8.allSatisfy { $0 >= 32 && $0 < 127 })
    }
  }

  @Test("gives no name to what has none")
  func givesNoName() {
    #expect(Hosts.name(of: .unixUnnamed) == nil)
    #expect(Hosts.name(of: .unixPath("/s")) == nil)
  }
}
