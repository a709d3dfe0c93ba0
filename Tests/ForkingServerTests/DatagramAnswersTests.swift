import Glibc
import NetworkServices
import Testing
import UnixIPC

@testable import ForkingServer

@Suite(.timeLimit(.minutes(1))) struct DatagramAnswersTests {
  @Test(
    "go to nobody who may be a server himself (CVE-1999-0103)",
    arguments: [
      (.ipv4(.loopback, port: 0), false), (.ipv4(.loopback, port: 7), false), (.ipv4(.loopback, port: 19), false),
      (.ipv4(.loopback, port: 1023), false), (.ipv4(.loopback, port: 1024), true),
      (.ipv4(.loopback, port: 65535), true), (.ipv6(.loopback, port: 1023), false),
      (.ipv6(.loopback, port: 1024), true),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 19), false), (.unixPath("/run/client"), true),
      (.unixAbstract([1]), true), (.unixUnnamed, false), (nil, false),
    ] as [(SocketAddress?, Bool)])
  func goToNoServer(sender: SocketAddress?, isAnswered: Bool) {
    #expect(DatagramAnswers.mayBeAnswered(sender) == isAnswered)
  }

  private func client(of server: borrowing DatagramSocket, from source: SocketAddress? = nil) throws -> Descriptor {
    let client = try Descriptor.socket(family: AF_INET, kind: datagramKind)
    if let source {
      let native = try NativeAddress(source)
      try #require(native.withPointer { bind(client.number, $0, $1) } == 0)
    }
    try ClientSocket.connect(client, to: #require(try server.descriptor.localAddress().address))
    return client
  }

  private func receive(_ client: borrowing Descriptor) throws -> String? {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 1)
    defer { room.deallocate() }
    guard let count = try? client.receive(into: room, waiting: false) else { return nil }
    return String(decoding: room[..<count], as: UTF8.self)
  }

  @Test("are sent for all that has arrived, and counted")
  func areSent() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    let answers = try DatagramAnswers(EchoService())
    #expect(answers.answer(on: server) == 0)
    let client = try client(of: server)
    for text in ["one", "", "three"] { _ = try Array(text.utf8).withUnsafeBytes { try client.send($0) } }
    #expect(answers.answer(on: server) == 3)
    for text in ["one", "", "three"] { #expect(try receive(client) == text) }
    #expect(try receive(client) == nil)
  }

  @Test("leave a turn to others after 64 questions")
  func leaveATurn() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    let answers = try DatagramAnswers(DaytimeService())
    let client = try client(of: server)
    for _ in 0..<70 { try client.writeAll("?") }
    #expect(answers.answer(on: server) == 64)
    #expect(answers.answer(on: server) == 6)
  }

  @Test("are not sent by a service that has none")
  func areNotSent() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    let client = try client(of: server)
    try client.writeAll("x")
    #expect(try DatagramAnswers(DiscardService()).answer(on: server) == 0)
    #expect(try receive(client) == nil)
  }

  @Test("are not sent to a reserved port", .enabled(if: geteuid() == 0, "needs root to bind one"))
  func areNotSentToAReservedPort() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    // Of an address that is nobody else's here.
    let client = try client(of: server, from: .ipv4(IPv4Address(rawValue: 0x7f21_0307), port: 1019))
    try client.writeAll("x")
    #expect(try DatagramAnswers(EchoService()).answer(on: server) == 0)
    #expect(try receive(client) == nil)
  }
}
