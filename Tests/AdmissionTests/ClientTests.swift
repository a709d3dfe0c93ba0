import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite struct ClientTests {
  @Test("has the credentials of the peer of a Unix socket, and its user for a source")
  func hasCredentials() throws {
    let pair = try SocketPair(kind: .stream)
    let native = try pair.first.peerAddress()
    let client = Client(of: pair.first, at: native, prefix: SourcePrefix())
    #expect(client.address == .unixUnnamed)
    #expect(client.credentials == PeerCredentials(process: getpid(), user: geteuid(), group: getegid()))
    #expect(client.user == geteuid())
    #expect(client.source == Source(.unixUnnamed, user: geteuid(), prefix: SourcePrefix()))
    _ = pair.second.number
  }

  @Test("has an address and no credentials on a network")
  func hasAnAddress() throws {
    let listening = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let server = try #require(try listening.descriptor.localAddress().address)
    let socket = try Descriptor.socket(family: .ipv4, kind: .stream)
    try #require(RawSocketAddress(server).withPointer { connect(socket.number, $0, $1) } == 0)
    try #require(listening.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(10_000))) == true)
    var native = RawSocketAddress()
    let connection = try listening.accept(peer: &native)
    let client = Client(of: connection, at: native, prefix: SourcePrefix(ipv4: 8, ipv6: 64))
    #expect(try client.address == socket.localAddress().address)
    #expect(client.credentials == nil && client.user == nil)
    #expect(client.source == Source(try peer("127.9.9.9"), user: nil, prefix: SourcePrefix(ipv4: 8, ipv6: 64)))
  }
}
