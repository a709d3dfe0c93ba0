import Glibc
import Testing

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct SocketOptionsTests {
  @Test(
    "sets how closing treats what is not acknowledged",
    arguments: [(nil, 0, 0), (.zero, 1, 0), (.milliseconds(1500), 1, 2), (.seconds(-1), 1, 0)]
      as [(
        Duration?, CInt, CInt
      )])
  func lingers(limit: Duration?, isOn: CInt, seconds: CInt) throws {
    let socket = try Descriptor.socket(family: .ipv4, kind: .stream)
    try socket.setLinger(limit)
    let found = try socket.option(SOL_SOCKET, SO_LINGER, structure: linger())
    #expect(found.l_onoff == isOn && found.l_linger == seconds)
  }

  @Test("takes structures of C")
  func takesStructures() throws {
    let socket = try Descriptor.socket(family: .unix, kind: .datagram, isNonBlocking: true)
    try socket.setOption(SOL_SOCKET, SO_RCVTIMEO, structure: timeval(tv_sec: 3, tv_usec: 0))
    #expect(try socket.option(SOL_SOCKET, SO_RCVTIMEO, structure: timeval()).tv_sec == 3)
    #expect(socket.socketKind == .datagram && !socket.isBlocking)
  }

  @Test("one listener serves IPv4 and IPv6")
  func servesBoth() throws {
    let server = try ListeningSocket(.ipv6(.any, port: 0), backlog: 5, options: BindOptions(acceptsIPv4: true))
    let port = try #require(try server.descriptor.localAddress().address?.port)
    for address in [SocketAddress.ipv4(.loopback, port: port), .ipv6(.loopback, port: port)] {
      let client = try ClientSocket.connect(to: address, until: Deadline(after: .seconds(20)))
      let peer = try server.accept(until: Deadline(after: .seconds(20))).peer
      let own = try client.localAddress().address
      #expect(peer.map { "\($0)" } == own.map { "\($0)" })
    }
    let alone = try ListeningSocket(.ipv6(.any, port: 0), backlog: 5)
    let other = try #require(try alone.descriptor.localAddress().address?.port)
    let refused = failure { () throws(SystemCallError) in try ClientSocket.connect(to: .ipv4(.loopback, port: other)) }
    #expect(refused?.code == .connectionRefused)
  }

  @Test("blames connect for the address of a connection")
  func blamesConnect() {
    let refused = failure { () throws(SystemCallError) in try ClientSocket.connect(to: .unixPath("/tmp/x\0y")) }
    #expect(refused?.call == "connect" && refused?.code == .invalidArgument)
  }

  @Test("tells the groups of a peer")
  func tellsGroups() throws {
    let pair = try SocketPair(kind: .stream)
    let groups = try PeerCredentials.groups(of: pair.first)
    let own = getgroups(0, nil)
    #expect(groups.count == Int(own))
  }
}
