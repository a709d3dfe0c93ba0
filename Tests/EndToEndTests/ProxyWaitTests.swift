import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Headers that are awaited: for a time, by a few, while others are served.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct ProxyWaitTests {
  private static let half = Array("PROXY TCP4 192.0.2.7 198.51.100.1 ".utf8)
  private static let rest = Array("51312 7\r\nx".utf8)

  private static func configuration(_ lines: String..., serving service: String = "echo") -> String {
    SampleConfiguration.service(service, "proxy-from = [\"127.0.0.1\"]", lines.joined(separator: "\n"))
  }

  private func isServed(_ client: Client) throws -> Bool { try client.receive(count: 1) == Array("x".utf8) }

  private func good(_ address: String, _ source: String = "192.0.2.8") throws -> Client {
    try Client(address, behind: ProxyHead.line(source) + Array("x".utf8))
  }

  private func refused(_ daemon: Daemon, _ reason: String) throws -> Double? {
    MetricSamples(try daemon.begat("status", "--prometheus").output.text)[
      "begat_connections_refused_total{service=\"echo\",reason=\"\(reason)\"}"]
  }

  // MARK: Time

  /// However often something comes.
  @Test func aHeaderHasItsTimeAndNoMore() throws {
    try withDaemon(Self.configuration("proxy-timeout = \"1s\"")) { daemon in
      let watch = Stopwatch()
      let slow = try Client(try daemon.address("echo"), behind: Self.half)
      var isOver = false
      while !isOver, watch.elapsed < .seconds(4) {
        isOver = slow.hears(within: .milliseconds(100))
        try? slow.send("1")
      }
      #expect(watch.elapsed > .milliseconds(900) && watch.elapsed < .milliseconds(2500), "\(watch.elapsed)")
      #expect(slow.awaitEnd())
      try daemon.log.awaitLines(
        containing: "a connection of 127.0.0.1 is closed: no complete PROXY header within proxy-timeout (1s)")
      #expect(try refused(daemon, "proxy-timeout") == 1)
    }
  }

  @Test func aClientHasAllTheTimeBehindItsHeader() throws {
    try withDaemon(Self.configuration("proxy-timeout = \"500ms\"")) { daemon in
      let whole = try Client(try daemon.address("echo"), behind: ProxyHead.line("192.0.2.7"))
      let split = try Client(try daemon.address("echo"), behind: Self.half)
      try split.send(Array(Self.rest.dropLast()))
      for client in [whole, split] {
        #expect(!client.hears(within: .milliseconds(800)))
        try client.send("x")
        #expect(try isServed(client))
      }
      #expect(daemon.linesAfterStart == [], "\(daemon.log.text)")
    }
  }

  /// The kernel hands it over after some seconds, if it came by TCP.
  @Test func aSilentConnectionIsClosedWithoutALine() throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      """
      [service.echo]
      serve = "echo"
      listen-stream = ["127.0.0.1:0", "\(directory.path("echo.sock"))"]
      proxy-from = ["127.0.0.1", "unix:*"]
      proxy-timeout = "300ms"

      """
    }
    try withDaemon(configuration) { daemon in
      for beginning in ["/", "127."] {
        let silent = try Client(try daemon.address("echo", beginning))
        #expect(silent.awaitEnd(within: .seconds(9)), "\(beginning)")
      }
      #expect(try refused(daemon, "proxy-timeout") == 2)
      #expect(daemon.linesAfterStart == [], "\(daemon.log.text)")
      #expect(try daemon.connections("echo").isEmpty)
    }
  }

  /// The poller announces some of them at a time.
  @Test func headersThatCameDuringAPauseAreInTime() throws {
    let count = 40
    try withDaemon(Self.configuration("proxy-timeout = \"2s\"", "max-connections-per-source = \(count)")) { daemon in
      let listener = try daemon.listener("echo")
      let descriptors = ProcessFacts.descriptors(of: listener).count
      let clients = try (0..<count).map { _ in try Client(try daemon.address("echo"), behind: Self.half) }
      #expect(eventually { ProcessFacts.descriptors(of: listener).count >= descriptors + count })
      try Signal(rawValue: SIGSTOP).send(to: listener)
      defer { try? Signal(rawValue: SIGCONT).send(to: listener) }
      for client in clients { try client.send(Self.rest) }
      #expect(!clients[0].hears(within: .milliseconds(2200)))
      try Signal(rawValue: SIGCONT).send(to: listener)
      for client in clients { #expect(try isServed(client)) }
      #expect(daemon.linesAfterStart == [], "\(daemon.log.text)")
    }
  }

  // MARK: Number

  private static let silentOnes = 1000

  /// - Parameter cookies: how the kernel completes handshakes: with 2, connections are handed over without a byte.
  @Test(.enabled(if: Machine.isRoot, "only root can make networks"), arguments: [1, 2])
  func aThousandSilentOnesDelayNoOther(cookies: Int) throws {
    let network = try NetworkNamespace()
    try network.enter {
      try NetworkNamespace.configure("echo \(cookies) >/proc/sys/net/ipv4/tcp_syncookies")
      try withDaemon(Self.configuration("max-connections = 8", "proxy-timeout = \"2s\"")) { daemon in
        let address = try daemon.address("echo")
        let listener = try daemon.listener("echo")
        let descriptors = ProcessFacts.descriptors(of: listener).count
        let silent = try (0..<Self.silentOnes).map { _ in try Client(address) }
        // In the time in which the kernel keeps them back, while they are handed over, and afterwards.
        var most = 0
        let watch = Stopwatch()
        while watch.elapsed < .seconds(7) {
          let question = Stopwatch()
          let client = try good(address)
          #expect(try isServed(client))
          #expect(question.elapsed < .seconds(2), "\(question.elapsed)")
          most = max(most, ProcessFacts.descriptors(of: listener).count - descriptors)
          #expect(try daemon.connections("echo").count <= 8)
          client.hangUp()
        }
        #expect(most <= 64 + 4, "\(most) descriptors more")
        #expect(eventually { (try? refused(daemon, "proxy-timeout")) == Double(Self.silentOnes) })
        #expect(silent.allSatisfy { $0.awaitEnd(within: .seconds(5)) })
        #expect(daemon.log.lines(containing: "PROXY") == [])
        #expect(ProcessFacts.descriptors(of: listener).count <= descriptors + 1)
      }
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root can make networks"))
  func aHeaderMayComeAfterASyncookie() throws {
    let network = try NetworkNamespace()
    try network.enter {
      try NetworkNamespace.configure("echo 2 >/proc/sys/net/ipv4/tcp_syncookies")
      try withDaemon(Self.configuration()) { daemon in
        let clients = try (0..<60).map { _ in try Client(try daemon.address("echo")) }
        for (index, client) in clients.enumerated() where index % 2 == 1 { try client.send(Self.half) }
        for (index, client) in clients.enumerated() {
          try client.send((index % 2 == 1 ? [] : Self.half) + Self.rest)
          #expect(try isServed(client))
          client.hangUp()
        }
        #expect(try refused(daemon, "proxy-timeout") == 0)
      }
    }
  }

  /// 64 wait; the others take the places of the oldest.
  @Test func theOldestGoesWhenTooManyWait() throws {
    try withDaemon(Self.configuration("proxy-timeout = \"1m\"")) { daemon in
      let address = try daemon.address("echo")
      let clients = try (0..<70).map { _ in try Client(address, behind: Self.half) }
      for client in clients.prefix(6) { #expect(client.awaitEnd()) }
      #expect(try refused(daemon, "proxy-timeout") == 6)
      try daemon.log.awaitLines(containing: "more than 64 connections without a complete PROXY header")
      for client in clients.dropFirst(6).prefix(30) {
        try client.send(Self.rest)
        #expect(try isServed(client))
        client.hangUp()
      }
      #expect(!clients[69].hears(within: .milliseconds(50)))
    }
  }

  // MARK: Places

  /// A client whose header is complete waits without a limit, as others do in the backlog.
  @Test func aClientWithAHeaderWaitsForAPlaceAsLongAsNeeded() throws {
    try withDaemon(Self.configuration("proxy-timeout = \"300ms\"", "max-connections = 1")) { daemon in
      let address = try daemon.address("echo")
      let waiting = try (0..<3).map { _ in try Client(address, behind: Self.half) }
      #expect(!waiting[2].hears(within: .milliseconds(50)))
      let first = try good(address)
      #expect(try isServed(first))
      for client in waiting { try client.send(Self.rest) }
      #expect(!waiting[0].hears(within: .milliseconds(600)))
      waiting[0].reset()
      first.hangUp()
      #expect(try isServed(waiting[1]))
      #expect(!waiting[2].hears(within: .milliseconds(50)))
      waiting[1].hangUp()
      #expect(try isServed(waiting[2]))
      #expect(try refused(daemon, "proxy-timeout") == 0)
      #expect(try daemon.connections("echo").count == 1)
      // The one that has gone got no process.
      waiting[2].hangUp()
      _ = try daemon.awaitConnections(0, of: "echo")
      try daemon.log.awaitLines(containing: " for 192.0.2.8:51312")
      #expect(eventually { daemon.log.lines(containing: " for 192.0.2.7:51312").count == 2 }, "\(daemon.log.text)")
    }
  }

  @Test func aClientIsHeldWhileNoProcessCanBeHad() throws {
    try withDaemon(Self.configuration(serving: "daytime")) { daemon in
      let address = try daemon.address("daytime")
      let listener = try daemon.listener("daytime")
      #expect(Expected.isDaytime(try Client(address, behind: ProxyHead.line("192.0.2.8")).receiveAll()))
      _ = try daemon.awaitConnections(0, of: "daytime")
      let before = try softLimit("Max processes", of: listener)
      let split = try Client(address, behind: Self.half)
      #expect(!split.hears(within: .milliseconds(50)))
      try setSoftLimit("nproc", of: listener, to: "1")
      let held = try Client(address, behind: ProxyHead.line("192.0.2.9"))
      try daemon.log.awaitLines(containing: "clone: Resource temporarily")
      try split.send(Array(Self.rest.dropLast()))
      #expect(!held.hears(within: .milliseconds(200)))
      #expect(!split.hears(within: .milliseconds(1)))
      try setSoftLimit("nproc", of: listener, to: before)
      for client in [held, split] { #expect(Expected.isDaytime(try client.receiveAll())) }
      for source in ["192.0.2.9", "192.0.2.7"] { try daemon.log.awaitLines(containing: " for \(source):51312") }
    }
  }
}
