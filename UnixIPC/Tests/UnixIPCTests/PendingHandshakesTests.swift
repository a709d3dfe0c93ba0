import Glibc
import Testing

@_spi(Begat) @testable import UnixCore

@Suite struct PendingHandshakesTests {
  @Test("shows a client whose handshake has not been completed", arguments: ["127.0.0.1:0", "[::1]:0"])
  func showsHandshakes(_ address: String) throws {
    let server = try ListeningSocket(#require(SocketAddress(address)), backlog: 8)
    let target = try #require(try server.descriptor.localAddress().address)
    #expect(server.descriptor.hasHandshakes == false)
    let plain = try ClientSocket.connect(to: target)
    #expect(server.descriptor.hasHandshakes == false, "a client in the backlog has completed it")

    // Then the kernel ignores the client's ACK, and waits for one with data.
    try server.descriptor.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 30)
    let late = try ClientSocket.connect(to: target)
    #expect(server.descriptor.hasHandshakes == true)
    try late.sendAll("now")
    #expect(server.descriptor.hasHandshakes == false)
    withExtendedLifetime(plain) {}
  }

  @Test("knows of none at other kinds of sockets")
  func otherKinds() throws {
    let datagrams = try DatagramSocket(.ipv4(.loopback, port: 0))
    #expect(datagrams.descriptor.hasHandshakes == false)
    let pair = try SocketPair()
    #expect(pair.first.hasHandshakes == false)
    let pipe = try PipeEnds()
    #expect(pipe.readEnd.hasHandshakes == false)
  }
}
