import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Addresses that are given up under load: each client is served, or refused when it connects; none is reset.
@Suite(.timeLimit(.minutes(30)))
struct GivingUpTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let address: String
    var isDatagram = false
    var testDescription: String { address + (isDatagram ? " datagram" : "") }
  }

  static let cases = [
    Case(address: "127.0.0.1:0"), Case(address: "[::1]:0"), Case(address: "/"), Case(address: "@"),
    Case(address: "/", isDatagram: true),
  ]

  private static let rounds = 20
  private static let clients = 16
  private static let open = ["--allow", "unix:*", "--allow", "127.0.0.0/8", "--allow", "::1"]
  /// Fewer places than clients: the others wait in the backlog.
  private static let echo = ["--serve", "echo", "--max-connections", "4"] + open
  private static let anyRate = ["--rate", "none", "--rate-per-source", "none"]
  private static let datagramEcho = ["--serve", "echo"] + anyRate + open

  @Test(arguments: cases)
  func byTheLastListener(_ kind: Case) throws {
    for _ in 0..<Self.rounds {
      let socket = try TestSocket(kind.address, in: try TemporaryDirectory(), isDatagram: kind.isDatagram)
      let offer = kind.isDatagram ? Self.datagramEcho : Self.echo
      let listener = try SupervisedListener(offer, sockets: [socket.number])
      try listener.begin()
      let clients = try EchoClients(
        Self.clients, at: socket.address, isDatagram: kind.isDatagram, staying: false)
      try socket.refuseNewClients()
      try listener.retire(closing: true)
      socket.close()
      let report = try clients.stop()
      #expect(report.lost.isEmpty, "\(report)")
      #expect(report.refused == Self.clients, "\(report)")
      try listener.awaitEnd()
    }
  }

  /// The service goes on at another address.
  @Test(arguments: cases)
  func byASuccessor(_ kind: Case) throws {
    for _ in 0..<Self.rounds {
      let directory = try TemporaryDirectory()
      let given = try TestSocket(kind.address, in: directory, isDatagram: kind.isDatagram)
      let kept = try TestSocket("127.0.0.1:0", in: directory)
      let offer = Self.echo + Self.anyRate
      let old = try SupervisedListener(offer, sockets: [kept.number, given.number])
      try old.begin()
      let clients = try EchoClients(Self.clients, at: given.address, isDatagram: kind.isDatagram, staying: false)
      try given.refuseNewClients()
      let new = try SupervisedListener(offer, sockets: [kept.number], closing: [given.number])
      given.close()
      try new.awaitMessage(.ready)
      try old.retire()
      try new.send(.begin(clearing: 0))
      let report = try clients.stop()
      #expect(report.lost.isEmpty, "\(report)")
      #expect(report.refused == Self.clients, "\(report)")
      #expect(eventually { given.isFree }, "the socket is left open")
      #expect(try ask(kept.address, "kept") == Array("kept".utf8))
      try new.retire()
      try old.awaitEnd()
      try new.awaitEnd()
    }
  }

  /// What has arrived at a datagram socket is answered, though nothing new is taken.
  @Test func datagramsThatHaveArrived() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory(), isDatagram: true)
    let listener = try SupervisedListener(Self.datagramEcho, sockets: [socket.number])
    try listener.awaitMessage(.ready)
    let clients = try (0..<100).map { _ in try DatagramClient(socket.address) }
    for client in clients { try client.send([1, 2, 3]) }
    try socket.refuseNewClients()
    try listener.send(.begin(clearing: 0))
    try listener.retire(closing: true)
    for client in clients { #expect(try client.receive() == [1, 2, 3]) }
    try listener.awaitEnd()
  }

  /// A client counts itself as connected from the server's SYN-ACK on, though its own ACK is still on its way.
  @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
  func aHandshakeThatHasBegun(_ address: String) throws {
    let socket = try TestSocket(address, in: try TemporaryDirectory())
    // The kernel then ignores the ACK: it waits for one with data.
    try socket.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 30)
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    try socket.refuseNewClients()
    try listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .seconds(30))))
    socket.close()
    for number: UInt32 in 1...3 {
      try listener.send(.question(number))
      try listener.awaitMessage(.alive(number))
    }
    #expect(try !listener.hasSaid(.retired))
    try client.send("through")
    #expect(try client.receive(count: 7) == Array("through".utf8))
    try listener.awaitMessage(.retired, within: .seconds(3))
    client.hangUp()
    try listener.awaitEnd()
  }

  /// One that never completes does not keep the listener.
  @Test func aHandshakeThatIsNeverCompleted() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    try socket.setOption(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 30)
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    try socket.refuseNewClients()
    let watch = Stopwatch()
    try listener.retire(closing: true)
    #expect(watch.elapsed > .milliseconds(900) && watch.elapsed < .seconds(3), "\(watch.elapsed)")
    try listener.awaitEnd()
    client.hangUp()
  }

  /// begatd shuts a Unix socket down, and then says so: until then it looks broken.
  @Test func aUnixSocketThatIsShutDownBeforeItsListenerKnows() throws {
    let socket = try TestSocket("/", in: try TemporaryDirectory())
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.begin()
    #expect(try ask(socket.address, "x") == [120])
    try socket.refuseNewClients()
    for number: UInt32 in 1...5 {
      try listener.send(.question(number))
      try listener.awaitMessage(.alive(number))
    }
    try listener.retire(closing: true)
    try listener.awaitEnd()
    // Without an order it is broken indeed.
    let other = try TestSocket("/", in: try TemporaryDirectory())
    let failing = try SupervisedListener(Self.echo, sockets: [other.number])
    try failing.begin()
    try other.refuseNewClients()
    try failing.awaitMessage(.retired)
    #expect(try failing.program.awaitEnd() == .exited(code: 1))
  }

  @Test func aFullServiceIsEmptiedWhenThereIsRoom() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(["--serve", "echo", "--max-connections", "1"], sockets: [socket.number])
    try listener.begin()
    let clients = try (0..<3).map { _ in try Client(socket.address) }
    for client in clients { try client.send("x") }
    #expect(try clients[0].receive(count: 1) == [120])
    try socket.refuseNewClients()
    try listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .seconds(30))))
    socket.close()
    for (index, client) in clients.enumerated() {
      if index > 0 { #expect(try client.receive(count: 1) == [120]) }
      #expect(try listener.hasSaid(.retired) == false || index == 2)
      client.hangUp()
    }
    try listener.awaitMessage(.retired)
    try listener.awaitEnd()
  }

  @Test func theDrainTimeoutEndsTheWaiting() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(["--serve", "echo", "--max-connections", "1"], sockets: [socket.number])
    try listener.begin()
    let clients = try (0..<2).map { _ in try Client(socket.address) }
    try clients[0].send("x")
    #expect(try clients[0].receive(count: 1) == [120])
    try socket.refuseNewClients()
    try listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .seconds(30))))
    socket.close()
    let watch = Stopwatch()
    // A second retirement changes the time that is left.
    try listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .milliseconds(300))))
    try listener.awaitMessage(.retired)
    #expect(watch.elapsed >= .milliseconds(290) && watch.elapsed < .seconds(2), "\(watch.elapsed)")
    #expect(clients[1].awaitEnd(within: .seconds(1)))
    #expect(clients[0].awaitEnd(within: .seconds(2)))
    try listener.awaitEnd(within: .seconds(3))
    #expect(listener.records.map(\.outcome) == [.stopped(by: .terminate)])
  }

  /// Without begatd nobody else accepts at the sockets that the listener has bound.
  @Test func aStandaloneListenerEmptiesItsOwnSockets() throws {
    let path = try TemporaryDirectory()
    let listener = try StandaloneListener(
      "echo",
      ["--listen-stream", "127.0.0.1:0", "--listen-stream", path.path("echo"), "--max-connections", "4"])
    let clients = try listener.addresses.map { try EchoClients(Self.clients, at: $0, staying: false) }
    try listener.program.send(.terminate)
    for clients in clients {
      let report = try clients.stop()
      #expect(report.lost.isEmpty, "\(report)")
    }
    #expect(try listener.program.awaitEnd() == .exited(code: 0))
  }
}
