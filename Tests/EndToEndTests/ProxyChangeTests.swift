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
      try daemon.rewrite(Self.configuration(Self.proxied, "max-connections = 9"))
      try daemon.program.send(.hangUp)
      #expect(eventually { daemon.generations("echo").count == 2 })
      try client.send(Self.rest)
      #expect(try isServed(client))
      #expect(eventually(within: .seconds(10)) { daemon.reloads.count == 1 }, "\(daemon.log.text)")
      #expect(ProcessFacts.children(of: former).count == 1)
      let next = try Client(address, behind: ProxyHead.line("192.0.2.8") + Array("x".utf8))
      #expect(try isServed(next))
      client.hangUp()
      #expect(eventually { daemon.generations("echo").count == 1 })
    }
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
