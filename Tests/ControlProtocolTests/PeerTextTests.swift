import Admission
import CSharedLayouts
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

/// The text that a function appends.
func withText(_ body: (inout ByteWriter) -> Void) -> String {
  withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
    var text = ByteWriter(room)
    body(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }
}

@Suite struct PeerTextTests {
  private static let ipv4 = SocketAddress.ipv4(IPv4Address("192.0.2.7")!, port: 51312)
  private static let mapped = SocketAddress.ipv6(IPv6Address("::ffff:192.0.2.7")!, port: 51312)
  private static let ipv6 = SocketAddress.ipv6(IPv6Address("2001:db8:1:2:3:4:5:6")!, port: 7)
  private static let local = SocketAddress.ipv6(IPv6Address("fe80::1")!, port: 7, scope: 2)

  @Test(
    "shows as much as is configured",
    arguments: [
      (ipv4, nil, "192.0.2.7:51312", "192.0.2.0/24"), (mapped, nil, "192.0.2.7:51312", "192.0.2.0/24"),
      (ipv6, nil, "[2001:db8:1:2:3:4:5:6]:7", "2001:db8:1::/48"), (local, nil, "[fe80::1%2]:7", "fe80::/48"),
      (.unixUnnamed, 1000, "uid 1000 at /run/x", "unix"), (nil, nil, "unknown", "unknown"),
    ] as [(SocketAddress?, UInt32?, String, String)])
  func showsAsMuch(address: SocketAddress?, user: UInt32?, full: String, prefix: String) {
    #expect(PeerText(.full).text(address, user: user, at: "/run/x") == full)
    #expect(PeerText(.prefix).text(address, user: user, at: "/run/x") == prefix)
    #expect(PeerText(.none).text(address, user: user, at: "/run/x") == "-")
  }

  @Test("names a client in a sentence")
  func namesAClient() {
    #expect(PeerText(.full).subject(Self.ipv4) == "192.0.2.7")
    #expect(PeerText(.full).subject(.unixUnnamed, user: 1000) == "user 1000")
    #expect(PeerText(.full).subject(nil) == "a client without an address")
    #expect(PeerText(.prefix).subject(Self.mapped) == "192.0.2.0/24")
    #expect(PeerText(.prefix).subject(.unixUnnamed, user: 1000) == "a Unix socket")
    #expect(PeerText(.full).address(Self.ipv4) == "192.0.2.7:51312")
    #expect(PeerText(.full).address(.unixPath("/tmp/c")) == "/tmp/c")
    #expect(PeerText(.prefix).address(Self.ipv4) == "192.0.2.0/24")
    for address in [Self.ipv4, Self.ipv6, .unixUnnamed, nil] {
      #expect(PeerText(.none).address(address) == "a client")
      #expect(PeerText(.none).subject(address, user: 1000) == "a client")
    }
  }

  @Test(
    "shows as much of a network that was given",
    arguments: [
      ("192.0.2.7", "192.0.2.0/24"), ("192.0.0.0/16", "192.0.0.0/16"), ("2001:db8:1:2::/64", "2001:db8:1::/48"),
      ("::/0", "::/0"),
    ])
  func showsNetworks(given: String, prefix: String) throws {
    let network = try IPNetwork(parsing: given)
    #expect(PeerText(.full).network(network) == given)
    #expect(PeerText(.prefix).network(network) == prefix)
    #expect(PeerText(.none).network(network) == "-")
  }

  @Test("leaves in a record only what is shown", arguments: LogAddress.allCases)
  func leavesOnlyWhatIsShown(form: LogAddress) throws {
    let clients: [(SocketAddress, UInt32)] = [
      (Self.ipv4, 0), (Self.mapped, 0), (Self.ipv6, 0), (.unixUnnamed, 1000),
    ]
    for (address, user) in clients {
      let native = begat_record(
        .ended, process: 1, peer: PeerFields(address), via: PeerFields(address), user: user, socket: -1,
        text: PeerText(form))
      let record = try #require(ConnectionRecord(native))
      let isUnix = address.isUnix
      #expect(record.addressForm == form)
      #expect(
        withText { PeerText(record.addressForm).write(record.peer, user: record.user, to: &$0) }
          == PeerText(form).text(address, user: isUnix ? user : nil))
      #expect(record.via == record.peer)
      guard form != .full else { continue }
      #expect(native.uid == 0)
      for fields in [PeerFields(native), PeerFields(viaOf: native)] {
        #expect(fields.port == 0 && fields.scope == 0)
        let bytes = withUnsafeBytes(of: fields.bytes) { Array($0) }
        #expect(bytes.dropFirst(form == .none ? 0 : 6).allSatisfy { $0 == 0 }, "\(bytes)")
      }
    }
  }
}
