import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct SourceAddressesTests {
  @Test(
    "are this machine's own, all different, none a network's or a broadcast address",
    arguments: [1, 64, 254, 255, 64_516])
  func areDifferent(count: Int) {
    var sources = SourceAddresses(count: count)
    var seen: Set<SocketAddress> = []
    for _ in 0..<count {
      guard case .ipv4(let host, 0)? = sources.take() else {
        Issue.record("no IPv4 address")
        return
      }
      #expect(host.rawValue >> 16 == 0x7f01 && (1...254).contains(host.rawValue & 255), "\(host)")
      seen.insert(.ipv4(host, port: 0))
    }
    #expect(seen.count == count && sources.count == count)
    // Round again.
    #expect(sources.take().map { seen.contains($0) } == true)
  }

  @Test("are left to the kernel where there are none")
  func areNone() {
    var sources = SourceAddresses(count: 0)
    #expect(sources.take() == nil && sources.take() == nil)
  }

  @Test("reach this machine only")
  func reachThisMachine() {
    #expect(SourceAddresses.canReach(.ipv4(.loopback, port: 1)))
    #expect(SourceAddresses.canReach(.ipv4(IPv4Address(rawValue: 0x7fff_0001), port: 1)))
    #expect(!SourceAddresses.canReach(.ipv4(IPv4Address(rawValue: 0x8000_0001), port: 1)))
    #expect(!SourceAddresses.canReach(.ipv6(.loopback, port: 1)) && !SourceAddresses.canReach(.unixPath("/s")))
  }
}
