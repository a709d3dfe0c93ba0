import Admission
import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A listener takes the sockets over from another one, under load: no client notices.
@Suite(.timeLimit(.minutes(30)))
struct HandoverTests {
  /// What is served, and where.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let offer: [String]
    var address = "127.0.0.1:0"
    var isDatagram = false
  }

  static let limits = ["--max-connections-per-source", "64"]
  static let echo = ["--serve", "echo"] + limits

  static let cases = [
    Case(testDescription: "a built-in service", offer: echo),
    Case(testDescription: "over IPv6", offer: echo, address: "[::1]:0"),
    Case(testDescription: "a program", offer: limits + ["--", "/bin/cat"]),
    Case(testDescription: "a program behind a relay", offer: limits + ["--relay", "--", "/bin/cat"]),
    Case(testDescription: "a Unix socket", offer: echo, address: "/"),
    Case(
      testDescription: "datagrams",
      offer: [
        "--serve", "echo", "--allow", "127.0.0.0/8", "--rate", "none",
        "--rate-per-source", "none",
      ], isDatagram: true),
  ]

  private static let rounds = 300
  private static let clients = 16

  @Test(arguments: cases)
  func losesNoClient(_ service: Case) throws {
    let directory = try TemporaryDirectory()
    let socket = try TestSocket(service.address, in: directory, isDatagram: service.isDatagram)
    let book = try AdmissionBook.create(maxConnections: 256)
    func listener(_ column: Int) throws -> SupervisedListener {
      try SupervisedListener(
        service.offer, sockets: [socket.number], book: book.number, column: column)
    }
    var current = try listener(0)
    try current.begin()
    let clients = try EchoClients(Self.clients, at: socket.address, isDatagram: service.isDatagram)
    var retired: [SupervisedListener] = []
    for round in 1...Self.rounds {
      // Three others may live; the oldest has to be gone before its column is given to another one.
      if retired.count == 3 { try retired.removeFirst().awaitEnd() }
      let successor = try listener(round % AdmissionBook.columnCount)
      try successor.awaitMessage(.ready)
      try current.retire()
      try successor.send(.begin(clearing: 0))
      retired.append(current)
      current = successor
    }
    let report = try clients.stop()
    #expect(report.lost.isEmpty && report.refused == 0, "\(report)")
    #expect(report.served >= Self.rounds, "\(report)")
    try current.retire()
    for listener in retired + [current] { try listener.awaitEnd() }
  }

  /// A program that has the socket itself keeps it until it ends.
  @Test func waitsForAProgramThatHasTheSocket() throws {
    let script = """
      import socket, sys
      listener = socket.socket(fileno=0)
      for turn in range(20):
          client, _ = listener.accept()
          with client:
              text = b""
              while part := client.recv(1000): text += part
              client.sendall(text)
      """
    let directory = try TemporaryDirectory()
    let socket = try TestSocket("127.0.0.1:0", in: directory)
    let offer = ["--wait", "--rate", "none", "--", try Programs.tool("python3"), "-c", script]
    var current = try SupervisedListener(offer, sockets: [socket.number])
    try current.begin()
    let clients = try EchoClients(Self.clients, at: socket.address)
    for _ in 1...20 {
      let successor = try SupervisedListener(offer, sockets: [socket.number])
      try successor.awaitMessage(.ready)
      try current.retire()
      #expect(current.connections.isEmpty)
      try successor.send(.begin(clearing: 0))
      try current.awaitEnd()
      current = successor
    }
    // The last program would wait for clients that do not come.
    try current.send(.retire(Retirement(closesSockets: false, drainTimeout: .seconds(30))))
    try current.awaitMessage(.retired)
    let last = try SupervisedListener(offer, sockets: [socket.number])
    try last.begin()
    let report = try clients.stop()
    #expect(report.lost.isEmpty && report.refused == 0, "\(report)")
    try last.send(.retire(Retirement(closesSockets: false, drainTimeout: .zero)))
    try current.awaitEnd()
    try last.awaitEnd()
  }

  @Test func acceptsOnlyAfterItsBeginning() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.awaitMessage(.ready)
    let client = try Client(socket.address)
    try client.send("early\n")
    // The answer shows that a turn of its loop is over.
    for number: UInt32 in 1...3 {
      try listener.send(.question(number))
      try listener.awaitMessage(.alive(number))
    }
    #expect(listener.connections.isEmpty && !client.hears(within: .zero))
    try listener.send(.begin(clearing: 0))
    #expect(try client.receive(count: 6) == Array("early\n".utf8))
    try client.endSending()
    try listener.retire()
    try listener.awaitEnd()
  }

  @Test func aListenerThatHasNotBegunRetiresImmediately() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let client = try Client(socket.address)
    for closesSockets in [false, true] {
      let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
      try listener.awaitMessage(.ready)
      try listener.retire(closing: closesSockets)
      try listener.awaitEnd(within: .seconds(3))
    }
    // Its client waits for the next one.
    let next = try SupervisedListener(Self.echo, sockets: [socket.number])
    try next.begin()
    try client.send("late\n")
    #expect(try client.receive(count: 5) == Array("late\n".utf8))
    client.hangUp()
    try next.retire()
    try next.awaitEnd()
  }

  /// Limits are for all generations together; no signal tells the new one that a connection of the old one has ended.
  @Test func countsConnectionsOfTheListenerBeforeIt() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let book = try AdmissionBook.create(maxConnections: 3)
    func listener(_ column: Int) throws -> SupervisedListener {
      try SupervisedListener(
        ["--serve", "echo", "--max-connections", "3"], sockets: [socket.number], book: book.number, column: column)
    }
    let old = try listener(0)
    try old.begin()
    let clients = try (0..<5).map { _ in try Client(socket.address) }
    for client in clients { try client.send("x") }
    for client in clients[..<3] { _ = try client.receive(count: 1) }
    let new = try listener(1)
    try new.awaitMessage(.ready)
    try old.retire()
    try new.send(.begin(clearing: 0))
    try new.send(.question(1))
    try new.awaitMessage(.alive(1))
    #expect(!clients[3].hears(within: .milliseconds(200)), "more than three at once")
    clients[0].hangUp()
    #expect(try clients[3].receive(count: 1, within: .seconds(2)) == [120])
    #expect(!clients[4].hears(within: .milliseconds(200)), "more than three at once")
    // A listener that dies leaves its places to whoever clears its column.
    old.program.kill()
    #expect(!clients[4].hears(within: .milliseconds(200)), "nobody has said that it is dead")
    try new.send(.clear(1))
    #expect(try clients[4].receive(count: 1, within: .seconds(2)) == [120])
    for client in clients { client.hangUp() }
    try new.retire()
    try new.awaitEnd()
  }

  @Test func givesABannedClientNoPlace() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    var bans = try BanTable()
    _ = bans.add(Ban(IPNetwork(IPv4Address(rawValue: 0x7f00_0002)), service: 7))
    let listener = try SupervisedListener(
      Self.echo + ["--refusal", "no", "--ban-number", "7"], sockets: [socket.number], bans: bans.object.number)
    try listener.begin()
    #expect(try ask(socket.address, from: "127.0.0.2") == Array("no\r\n".utf8))
    #expect(try ask(socket.address, "yes", from: "127.0.0.3") == Array("yes".utf8))
    _ = bans.add(Ban(IPNetwork(IPv4Address(rawValue: 0x7f00_0003))))
    #expect(try ask(socket.address, from: "127.0.0.3") == Array("no\r\n".utf8))
    try listener.retire()
    try listener.awaitEnd()
  }
}
