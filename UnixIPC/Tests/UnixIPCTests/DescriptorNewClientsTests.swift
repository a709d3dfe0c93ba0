import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

/// Sockets that take no new clients for a while.
@Suite(.timeLimit(.minutes(30))) struct DescriptorNewClientsTests {
  @Test("a TCP socket drops new clients, gives those that wait, and takes new ones again", arguments: [false, true])
  func dropsConnections(isIPv6: Bool) throws {
    let any: SocketAddress = isIPv6 ? .ipv6(.loopback, port: 0, scope: 0) : .ipv4(.loopback, port: 0)
    let server = try ListeningSocket(any, backlog: 16)
    let address = try #require(try server.descriptor.localAddress().address)
    let waiting = try ClientSocket.connect(to: address)
    #expect(try server.descriptor.dropNewClients())
    let late = try ClientSocket.start(to: address)
    let isEarly = late.wait(for: .writable, until: Deadline(after: .milliseconds(200)))
    #expect(!isEarly)
    let accepted = try server.accept()
    try accepted.socket.sendAll("x")
    #expect(try waiting.receive(maxCount: 10) == [120])
    #expect(try server.descriptor.takeNewClients())
    #expect(try !server.descriptor.takeNewClients())
    // It repeats its SYN after a second.
    let isConnected = late.wait(for: .writable, until: Deadline(after: .seconds(10)))
    #expect(isConnected)
    try ClientSocket.finish(late, to: address)
    _ = try server.accept()
  }

  @Test("a datagram socket loses what comes meanwhile", arguments: [false, true])
  func dropsDatagrams(isUnix: Bool) throws {
    func name(_ role: String) -> SocketAddress {
      isUnix ? .unixAbstract(Array("begat-new-clients-\(getpid())-\(role)".utf8)) : .ipv4(.loopback, port: 0)
    }
    let server = try Descriptor.bound(to: name("server"), kind: .datagram)
    let client = try Descriptor.bound(to: name("client"), kind: .datagram)
    try ClientSocket.connect(client, to: try #require(try server.localAddress().address))
    func send(_ text: String) throws { try client.sendAll(text) }
    try send("1")
    #expect(try server.dropNewClients())
    try send("2")
    #expect(try server.takeNewClients())
    try send("3")
    #expect(try server.receive(maxCount: 10) == Array("1".utf8))
    #expect(try server.receive(maxCount: 10) == Array("3".utf8))
  }

  @Test("a Unix stream socket cannot")
  func unixStreams() throws {
    let server = try ListeningSocket(.unixAbstract(Array("begat-new-clients-\(getpid())".utf8)), backlog: 16)
    #expect(try !server.descriptor.dropNewClients())
    #expect(try !server.descriptor.takeNewClients())
  }

  @Test("a filter of another kind stays")
  func leavesOtherFilters() throws {
    let server = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 16)
    let other = SocketFilter(instructions: [SocketFilter.Instruction(code: 0x06, value: 100_000)])
    try other.attach(to: server.descriptor)
    #expect(try !server.descriptor.takeNewClients())
    let isThere = other.isAttached(to: server.descriptor)
    #expect(isThere)
  }
}
