import Glibc
import Testing
import UnixIPC

@testable import Admission

@Suite struct ClientTests {
  @Test("has the credentials of the peer of a Unix socket, and its user for a source")
  func hasCredentials() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let native = try pair.reading.peerAddress()
    let client = Client(of: pair.reading, at: native, prefix: SourcePrefix())
    #expect(client.address == .unixUnnamed)
    #expect(client.credentials == PeerCredentials(process: getpid(), user: geteuid(), group: getegid()))
    #expect(client.user == geteuid())
    #expect(client.source == Source(.unixUnnamed, user: geteuid(), prefix: SourcePrefix()))
    _ = pair.writing.number
  }

  @Test("has an address and no credentials on a network")
  func hasAnAddress() throws {
    let listening = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let server = try #require(try listening.descriptor.localAddress().address)
    let socket = try Descriptor.socket(family: AF_INET, kind: streamKind)
    try #require(NativeAddress(server).withPointer { connect(socket.number, $0, $1) } == 0)
    try #require(listening.descriptor.waitUntilReadable(milliseconds: 10_000) == true)
    var native = NativeAddress()
    let connection = try listening.accept(peer: &native)
    let client = Client(of: connection, at: native, prefix: SourcePrefix(ipv4: 8, ipv6: 64))
    #expect(try client.address == socket.localAddress().address)
    #expect(client.credentials == nil && client.user == nil)
    #expect(client.source == Source(try peer("127.9.9.9"), user: nil, prefix: SourcePrefix(ipv4: 8, ipv6: 64)))
  }
}
