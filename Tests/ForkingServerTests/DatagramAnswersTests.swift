import Admission
import CSharedLayouts
import Glibc
import NetworkServices
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) struct DatagramAnswersTests {
  @Test(
    "go to nobody who may be a server himself (CVE-1999-0103)",
    arguments: [
      (.ipv4(.loopback, port: 0), false), (.ipv4(.loopback, port: 7), false), (.ipv4(.loopback, port: 19), false),
      (.ipv4(.loopback, port: 1023), false), (.ipv4(.loopback, port: 1024), true),
      (.ipv4(.loopback, port: 65535), true), (.ipv6(.loopback, port: 1023), false),
      (.ipv6(.loopback, port: 1024), true),
      (.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 19), false), (.unixPath("/run/client"), true),
      (.unixAbstract([1]), true), (.unixUnnamed, false), (nil, false),
      // Ports of ours, whoever's address it is.
      (.ipv4(.loopback, port: 10013), false), (.ipv6(.loopback, port: 10037), false),
      // Many hosts at once, and none.
      (.ipv4(IPv4Address(rawValue: 0xe000_0001), port: 5000), false),
      (.ipv4(IPv4Address(rawValue: 0xffff_ffff), port: 5000), false), (.ipv4(.any, port: 5000), false),
      (.ipv4(IPv4Address(rawValue: 0xefff_ffff), port: 5000), false),
      (.ipv4(IPv4Address(rawValue: 0xdfff_ffff), port: 5000), true),
      (.ipv6(IPv6Address(high: 0xff02_0000_0000_0000, low: 1), port: 5000), false),
      (.ipv6(.any, port: 5000), false), (.ipv6(IPv6Address(high: 0, low: 0xffff_e000_0001), port: 5000), false),
    ] as [(SocketAddress?, Bool)])
  func goToNoServer(sender: SocketAddress?, isAnswered: Bool) throws {
    let answers = try DatagramAnswers(EchoService(), admission: Admission(AdmissionLimits()), ownPorts: [10013, 10037])
    #expect(answers.mayBeAnswered(sender) == isAnswered)
  }

  /// Answers, and what was counted by it.
  private struct Answering {
    let answers: DatagramAnswers
    var counters = begat_scoreboard()
    var refusals: [Refusal] = []

    init(_ service: any DatagramService, limits: AdmissionLimits = AdmissionLimits()) throws {
      answers = try DatagramAnswers(service, admission: Admission(limits), ownPorts: [])
    }

    /// How many were sent this time.
    mutating func answer(on socket: borrowing DatagramSocket) -> Int {
      let before = counters.datagrams_answered
      var refused: [Refusal] = []
      answers.answer(on: socket, counters: &counters) { refusal, _ in refused.append(refusal) }
      refusals += refused
      return Int(counters.datagrams_answered - before)
    }
  }

  private func client(of server: borrowing DatagramSocket, from source: SocketAddress? = nil) throws -> Descriptor {
    let client = try Descriptor.socket(family: .ipv4, kind: .datagram)
    if let source {
      let native = try RawSocketAddress(source)
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
    var answers = try Answering(EchoService())
    #expect(answers.answer(on: server) == 0)
    let client = try client(of: server)
    for text in ["one", "", "three"] { _ = try Array(text.utf8).withUnsafeBytes { try client.send($0) } }
    #expect(answers.answer(on: server) == 3)
    for text in ["one", "", "three"] { #expect(try receive(client) == text) }
    #expect(try receive(client) == nil)
  }

  @Test("are reported where the client's socket cannot be reached")
  func areReportedWhereTheyCannotBeSent() throws {
    let directory = try TemporaryDirectory()
    let bound = { (name: String) in
      let socket = try Descriptor.socket(family: .unix, kind: .datagram)
      let native = try RawSocketAddress(.unixPath(UnixPath(directory[name])))
      try #require(native.withPointer { bind(socket.number, $0, $1) } == 0)
      return socket.release()
    }
    let server = try DatagramSocket(adopting: Descriptor(owning: try bound("server")))
    let client = Descriptor(owning: try bound("client"))
    try ClientSocket.connect(client, to: .unixPath(UnixPath(directory["server"])))
    try client.writeAll("?")
    unlink(directory["client"])
    let answers = try DatagramAnswers(TimeService(), admission: Admission(AdmissionLimits()), ownPorts: [])
    var counters = begat_scoreboard()
    var failures: [String] = []
    answers.answer(on: server, counters: &counters, refused: { _, _ in }) { error, client in
      failures.append("\(client?.description ?? "?"): \(error.name)")
    }
    #expect(failures == ["\(directory["client"]): ENOENT"] && counters.datagrams_answered == 0)
  }

  @Test("leave a turn to others after 64 questions")
  func leaveATurn() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    var answers = try Answering(DaytimeService())
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
    var answers = try Answering(DiscardService())
    #expect(answers.answer(on: server) == 0)
    #expect(try receive(client) == nil)
  }

  @Test("are not sent to a reserved port", .enabled(if: geteuid() == 0, "needs root to bind one"))
  func areNotSentToAReservedPort() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    // Of an address that is nobody else's here.
    let client = try client(of: server, from: .ipv4(IPv4Address(rawValue: 0x7f21_0307), port: 1019))
    try client.writeAll("x")
    var answers = try Answering(EchoService())
    #expect(answers.answer(on: server) == 0 && answers.counters.datagrams_ignored == 1)
    #expect(try receive(client) == nil)
  }

  @Test("keep to their rate, and throw the rest away")
  func keepToTheirRate() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    var limits = AdmissionLimits()
    limits.ratePerSource = RateLimit("1/h burst 3")
    var answers = try Answering(TimeService(), limits: limits)
    let client = try client(of: server)
    for _ in 0..<10 { try client.writeAll("?") }
    #expect(answers.answer(on: server) == 3)
    #expect(answers.refusals == [Refusal](repeating: .ratePerSource, count: 7))
    #expect(begat_datagrams_refused(&answers.counters, UInt32(Refusal.ratePerSource.rawValue)).pointee == 7)
    // Nothing waits that would wake the listener again.
    let isReadable = server.descriptor.wait(for: .readable, until: .immediate)
    #expect(!isReadable)
    // Another source has its own.
    let other = try self.client(of: server, from: .ipv4(IPv4Address(rawValue: 0x7f21_0308), port: 0))
    try other.writeAll("?")
    #expect(answers.answer(on: server) == 1)
  }

  @Test("go to those only who are allowed")
  func goToTheAllowed() throws {
    let server = try DatagramSocket(.ipv4(.loopback, port: 0))
    var limits = AdmissionLimits()
    limits.allow = [.network(try IPNetwork(parsing: "127.33.0.0/16"))]
    var answers = try Answering(EchoService(), limits: limits)
    let stranger = try client(of: server)
    try stranger.writeAll("x")
    #expect(answers.answer(on: server) == 0 && answers.refusals == [.denied])
    let friend = try client(of: server, from: .ipv4(IPv4Address(rawValue: 0x7f21_0309), port: 0))
    try friend.writeAll("x")
    #expect(answers.answer(on: server) == 1)
    #expect(try receive(friend) == "x")
  }
}
