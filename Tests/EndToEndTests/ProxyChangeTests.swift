import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Clients of proxies while their listener is replaced or stops.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct ProxyChangeTests {
  private static let half = Array("PROXY TCP4 192.0.2.7 198.51.100.1 ".utf8)
  private static let rest = Array("51312 7\r\nx".utf8)
  private static let port = "listen-stream = [\"127.0.0.1:0\"]"

  private static func configuration(_ lines: String...) -> String {
    "[service.echo]\nserve = \"echo\"\n\(port)\n" + lines.joined(separator: "\n") + "\n"
  }
  private static let proxied = "proxy-from = [\"127.0.0.1\"]"

  private func isServed(_ client: Client) throws -> Bool { try client.receive(count: 1) == Array("x".utf8) }

  @Test func aStopWaitsForHeadersThatHaveBegun() throws {
    try withDaemon(Self.configuration(Self.proxied)) { daemon in
      let served = try Client(try daemon.address("echo"), behind: Self.half)
      let late = try Client(try daemon.address("echo"), behind: Self.half)
      #expect(!served.hears(within: .milliseconds(50)))
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      // The stop is under way when the address is free.
      #expect(eventually { (try? Client(try daemon.address("echo"))) == nil })
      try served.send(Self.rest)
      #expect(try isServed(served))
      #expect(late.awaitEnd(within: .seconds(4)))
      #expect(watch.elapsed > .milliseconds(700) && watch.elapsed < .seconds(3), "\(watch.elapsed)")
      try daemon.log.awaitLines(containing: "no complete PROXY header when the listener stopped")
      served.hangUp()
      try daemon.awaitEnd()
    }
  }

  @Test func aReloadLosesNoClientWhoseHeaderHasBegun() throws {
    try withDaemon(Self.configuration(Self.proxied)) { daemon in
      let address = try daemon.address("echo")
      let former = try daemon.listener("echo")
      let client = try Client(address, behind: Self.half)
      #expect(!client.hears(within: .milliseconds(50)))
      // It reads the rest of the header when it has read that it is to retire.
      try Signal(rawValue: SIGSTOP).send(to: former)
      defer { try? Signal(rawValue: SIGCONT).send(to: former) }
      try daemon.rewrite(Self.configuration(Self.proxied, "max-connections = 9"))
      try daemon.program.send(.hangUp)
      #expect(try eventually { try daemon.begat("status", "--json").output.text.contains("\"retiring\"") })
      try client.send(Self.rest)
      try Signal(rawValue: SIGCONT).send(to: former)
      #expect(try isServed(client))
      #expect(eventually(within: .seconds(10)) { daemon.reloads.count == 1 }, "\(daemon.log.text)")
      #expect(ProcessFacts.children(of: former).count == 1)
      let next = try Client(address, behind: ProxyHead.line("192.0.2.8") + Array("x".utf8))
      #expect(try isServed(next))
      client.hangUp()
      #expect(eventually { daemon.generations("echo").count == 1 })
    }
  }

  /// Datagrams have no PROXY header: the last ones are answered, and no further ones are taken.
  @Test func proxiesCanTakeThePlaceOfDatagrams() throws {
    let datagrams = "listen-datagram = [\"127.0.0.1:0\"]\nallow = [\"127.0.0.0/8\", \"192.0.2.0/24\"]"
    try withDaemon(Self.configuration(datagrams)) { daemon in
      #expect(try ask(daemon.address("echo"), "x") == Array("x".utf8))
      for (lines, head) in [(Self.proxied, ProxyHead.line("192.0.2.8")), (datagrams, [])] {
        #expect(try daemon.reload(Self.configuration(lines)).contains("reloaded"))
        let client = try Client(try daemon.address("echo"), behind: head + Array("x".utf8))
        #expect(try isServed(client))
        client.hangUp()
      }
      #expect(daemon.log.lines(containing: "did not start").isEmpty, "\(daemon.log.text)")
    }
  }

  private static let listener = ["--serve", "echo", "--proxy-from", "127.0.0.1", "--proxy-from", "unix:*"]

  /// A listener with a silent connection and one whose header has begun.
  private struct Waiting {
    let socket: TestSocket
    let listener: SupervisedListener
    let silent: Client
    let half: Client

    init() throws {
      // The kernel hands a silent connection over immediately.
      socket = try TestSocket("/", in: try TemporaryDirectory())
      listener = try SupervisedListener(ProxyChangeTests.listener, sockets: [socket.number])
      try listener.begin()
      let process = listener.program.process
      let count = ProcessFacts.descriptors(of: process).count
      silent = try Client(socket.address)
      half = try Client(socket.address, behind: ProxyChangeTests.half)
      guard eventually({ ProcessFacts.descriptors(of: process).count >= count + 2 }) else {
        throw HarnessFailure("they are not accepted: \(listener.program.errors.text)")
      }
    }
  }

  /// New clients wait meanwhile.  A busy machine may be late, but not each time.
  @Test func connectionsWithoutHeadersHoldNoSuccessorUp() throws {
    var times: [Duration] = []
    while times.count < 5, (times.last ?? .seconds(1)) >= .milliseconds(600) {
      let waiting = try Waiting()
      let watch = Stopwatch()
      try waiting.listener.retire()
      times.append(watch.elapsed)
      #expect(waiting.silent.awaitEnd() && waiting.half.awaitEnd())
      try waiting.listener.awaitEnd()
    }
    #expect(times.contains { $0 >= .milliseconds(190) && $0 < .milliseconds(600) }, "\(times)")
  }

  /// When the address is given up, no new client waits for a successor.
  @Test func aDrainClosesSilentConnectionsFirst() throws {
    let waiting = try Waiting()
    try waiting.socket.refuseNewClients()
    try waiting.listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .seconds(30))))
    #expect(waiting.silent.awaitEnd())
    try waiting.half.send(Self.rest)
    #expect(try isServed(waiting.half))
    waiting.half.hangUp()
    try waiting.listener.awaitMessage(.retired)
    try waiting.listener.awaitEnd()
  }

  /// Another program may accept at the socket next.
  @Test func theKernelKeepsNoConnectionsBackAfterwards() throws {
    let level = CInt(IPPROTO_TCP)
    let directory = try TemporaryDirectory()
    for (before, during, after) in [(0, 3, 0), (7, 7, 7), (1, 1, 1)] as [(CInt, CInt, CInt)] {
      let socket = try TestSocket("127.0.0.1:0", in: directory)
      try socket.setOption(level, TCP_DEFER_ACCEPT, before)
      func time() throws -> CInt {
        try Descriptor.withBorrowed(socket.number) { try $0.option(level, TCP_DEFER_ACCEPT) }
      }
      for closesSockets in [false, true] {
        let listener = try SupervisedListener(Self.listener, sockets: [socket.number])
        try listener.begin()
        let client = try Client(socket.address, behind: ProxyHead.line("192.0.2.7") + Array("x".utf8))
        #expect(try isServed(client))
        #expect(try time() == during)
        client.hangUp()
        if closesSockets { try socket.refuseNewClients() }
        try listener.retire(closing: closesSockets)
        try listener.awaitEnd()
        #expect(try time() == after)
      }
    }
    // One that was killed could not end it.
    let socket = try TestSocket("127.0.0.1:0", in: directory)
    try socket.setOption(level, TCP_DEFER_ACCEPT, 3)
    let plain = try SupervisedListener(["--serve", "echo"], sockets: [socket.number])
    try plain.begin()
    #expect(try Descriptor.withBorrowed(socket.number) { try $0.option(level, TCP_DEFER_ACCEPT) } == 0)
    try plain.retire()
    try plain.awaitEnd()
  }

  /// The kernel would keep a client back that waits for the server's first word.
  @Test func aReloadWithoutProxiesServesSilentClientsAgain() throws {
    let time = "[service.time]\nserve = \"time\"\n\(Self.port)\n"
    try withDaemon(time) { daemon in
      let address = try daemon.address("time")
      for _ in 0..<2 {
        let watch = Stopwatch()
        #expect(Expected.isTime(try ask(address)))
        #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
        try daemon.reload(time + Self.proxied)
        #expect(Expected.isTime(try Client(address, behind: ProxyHead.line("192.0.2.7")).receiveAll()))
        // Kept back: 3 s pass before the kernel hands it over.
        let silent = try Client(address)
        #expect(!silent.hears(within: .milliseconds(100)))
        let old = try daemon.listener("time")
        try daemon.reload(time)
        #expect(eventually { ProcessFacts(old) == nil })
      }
      let watch = Stopwatch()
      #expect(Expected.isTime(try ask(address)))
      #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
    }
  }
}
