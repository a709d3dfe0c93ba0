import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite struct PeerFieldsTests {
  @Test("keep an internet address, and of a Unix socket that it is one")
  func keepAddresses() {
    var random = SeededRandom(state: 6)
    for _ in 0..<1000 {
      let peer = ConnectionRecord.random(using: &random).peer
      #expect(PeerFields(peer).address == peer)
    }
    for address: SocketAddress in [.unixPath("/x"), .unixAbstract([1]), .unixUnnamed] {
      #expect(PeerFields(address).address == .unixUnnamed && PeerFields(address).family == PeerFields.unix)
    }
  }

  @Test("keep in a slot the client and the proxy that has named it")
  func keepTheProxy() {
    let client = SocketAddress.ipv4(.loopback, port: 7)
    let proxy = SocketAddress.ipv6(IPv6Address(high: 0xfd00 << 48, low: 1), port: 8, scope: 0)
    let slot = begat_slot(process: 1, peer: PeerFields(client), via: PeerFields(proxy), started: 0)
    #expect(PeerFields(slot).address == client && PeerFields(viaOf: slot).address == proxy)
    #expect(PeerFields(viaOf: begat_slot(process: 1, peer: PeerFields(client), started: 0)).address == nil)
  }

  @Test("are nothing in an unknown family")
  func areNothing() {
    var fields = PeerFields(.ipv4(.loopback, port: 1))
    fields.family = 99
    #expect(fields.address == nil)
  }
}
