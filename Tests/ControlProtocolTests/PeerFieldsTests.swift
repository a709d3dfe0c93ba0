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

  @Test("are nothing in an unknown family")
  func areNothing() {
    var fields = PeerFields(.ipv4(.loopback, port: 1))
    fields.family = 99
    #expect(fields.address == nil)
  }
}
