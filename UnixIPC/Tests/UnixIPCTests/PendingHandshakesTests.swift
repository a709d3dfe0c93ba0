import Glibc
import Testing

@_spi(Begat) @testable import UnixCore

@Suite struct PendingHandshakesTests {
  @Test("shows a client whose handshake has not been completed", arguments: ["127.0.0.1:0", "[::1]:0"])
  func showsHandshakes(_ address: String) throws {
    let inquiry = HandshakeInquiry()
    let server = try ListeningSocket(#require(SocketAddress(address)), backlog: 8)
    let target = try #require(try server.descriptor.localAddress().address)
    #expect(inquiry.hasHandshakes(at: server.descriptor) == false)
    let plain = try ClientSocket.connect(to: target)
    #expect(inquiry.hasHandshakes(at: server.descriptor) == false, "a client in the backlog has completed it")

    // Then the kernel ignores the client's ACK, and waits for one with data.
    try server.descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 30)
    let late = try ClientSocket.connect(to: target)
    #expect(inquiry.hasHandshakes(at: server.descriptor) == true)
    try late.sendAll("now")
    #expect(inquiry.hasHandshakes(at: server.descriptor) == false)
    withExtendedLifetime(plain) {}
  }

  @Test("knows of none at other kinds of sockets")
  func otherKinds() throws {
    let inquiry = HandshakeInquiry()
    let datagrams = try DatagramSocket(.ipv4(.loopback, port: 0))
    #expect(inquiry.hasHandshakes(at: datagrams.descriptor) == false)
    let pair = try SocketPair()
    #expect(inquiry.hasHandshakes(at: pair.first) == false)
    let pipe = try PipeEnds()
    #expect(inquiry.hasHandshakes(at: pipe.readEnd) == false)
  }
}
