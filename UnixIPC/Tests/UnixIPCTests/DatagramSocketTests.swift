import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DatagramSocketTests {
  /// Answers one question with itself; returns who asked.
  private func echo(_ server: borrowing DatagramSocket, room size: Int = 2048) throws -> SocketAddress? {
    try #require(server.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) == true)
    var sender = DatagramSocket.Sender()
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
    defer { room.deallocate() }
    let count = try server.receive(into: room, from: &sender)
    try server.send(UnsafeRawBufferPointer(rebasing: room[..<count]), to: &sender)
    return sender.address
  }

  /// A socket that takes datagrams of this address only.
  private func client(connectedTo address: SocketAddress) throws -> Descriptor {
    let family = try RawSocketAddress(address).family
    let client = try Descriptor.socket(family: family, kind: .datagram)
    try ClientSocket.connect(client, to: address)
    return client
  }

  private func answer(to question: String, _ client: borrowing Descriptor) throws -> String? {
    guard client.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) else { return nil }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 1)
    defer { room.deallocate() }
    return String(decoding: room[..<(try client.receive(into: room))], as: UTF8.self)
  }

  @Test(
    "answers from the address that was asked",
    arguments: [
      ("0.0.0.0", "127.0.0.5"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.9", "127.0.0.9"), ("[::]", "[::1]"),
      ("[::1]", "[::1]"),
    ])
  func answersFromTheAddressAsked(bound: String, asked: String) throws {
    let server = try DatagramSocket(#require(SocketAddress("\(bound):0")))
    let port = try #require(try server.descriptor.localAddress().address?.port)
    let client = try client(connectedTo: #require(SocketAddress("\(asked):\(port)")))
    try client.writeAll("question")
    #expect(try echo(server) == (try client.localAddress().address))
    #expect(try answer(to: "question", client) == "question")
  }

  @Test("answers on an abstract name, but nobody who has none")
  func answersOnAnAbstractName() throws {
    func name(_ word: String) -> SocketAddress { .unixAbstract(Array("begat-test-\(getpid())-\(word)".utf8)) }
    let server = try DatagramSocket(name("server"))
    let client = try Descriptor.bound(to: name("client"), kind: .datagram, options: BindOptions())
    try ClientSocket.connect(client, to: name("server"))
    try client.writeAll("question")
    #expect(try echo(server) == name("client"))
    #expect(try answer(to: "question", client) == "question")

    let nameless = try self.client(connectedTo: name("server"))
    try nameless.writeAll("question")
    var sender = DatagramSocket.Sender()
    try #require(server.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) == true)
    withUnsafeTemporaryAllocation(byteCount: 100, alignment: 1) { room in
      #expect(failure { () throws(SystemCallError) in try server.receive(into: room, from: &sender) } == nil)
    }
    #expect(sender.address == nil || sender.address == .unixUnnamed)
  }

  @Test("takes empty datagrams, cuts long ones, and never waits")
  func takesAnyDatagram() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    let client = try client(connectedTo: #require(try server.descriptor.localAddress().address))
    #expect(try client.send(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    _ = try echo(server)
    #expect(try answer(to: "", client) == "")
    try client.writeAll("0123456789")
    _ = try echo(server, room: 4)
    #expect(try answer(to: "0123456789", client) == "0123")
    var sender = DatagramSocket.Sender()
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
      #expect(
        failure { () throws(SystemCallError) in try server.receive(into: room, from: &sender) }?.code == .wouldBlock)
    }
  }

  @Test("adopts datagram sockets only")
  func adoptsDatagramSocketsOnly() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1).release()
    let number = listener.number
    do throws(SystemCallError) {
      _ = try DatagramSocket(adopting: listener)
      Issue.record("adopted a stream socket")
    } catch { #expect(error == SystemCallError("recvmsg", on: "descriptor \(number)", code: .invalidArgument)) }
    let bound = try Descriptor.bound(to: .ipv4(.loopback, port: 0), kind: .datagram, options: BindOptions())
    #expect(try DatagramSocket(adopting: bound).release().socketKind == SocketKind.datagram)
  }

  @Test("says which address is taken")
  func saysWhichAddressIsTaken() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try server.descriptor.localAddress().address)
    #expect(throws: SystemCallError("bind", on: "\(address)", code: .addressInUse)) { _ = try DatagramSocket(address) }
  }
}
