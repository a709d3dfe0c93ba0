import Glibc
import Testing
@_spi(Begat) import UnixCore

/// How long a client may stay.
@Suite(.timeLimit(.minutes(30)))
struct DurationLimitTests {
  @Test(arguments: ["echo", "discard", "chargen", "command"])
  func nobodyStaysLongerThanMaxDuration(with service: String) throws {
    try withDaemon(SampleConfiguration.service(service, "max-duration = \"2s\"")) { daemon in
      let client = try Client(try daemon.address(service))
      let peer = try client.address()
      let watch = Stopwatch()
      // There is traffic all the time.
      while watch.elapsed < .seconds(8), (try? client.send("help\n")) != nil {
        guard client.hears(within: .milliseconds(20)) else { continue }
        if ((try? client.receive(count: 1)) ?? []).isEmpty { break }
      }
      #expect(watch.elapsed > .milliseconds(500) && watch.elapsed < .milliseconds(3500), "\(watch.elapsed)")
      let line = try daemon.log.awaitLines(containing: "for \(peer): ")[0]
      #expect(line.hasSuffix("bytes, max-duration"), "\(line)")
      _ = try daemon.awaitConnections(0, of: service)
    }
  }

  @Test func aStoppedProcessIsEndedToo() throws {
    try withDaemon(SampleConfiguration.service("command", "max-duration = \"2s\"")) { daemon in
      let client = try session(try daemon.address("command"))
      try Signal(rawValue: SIGSTOP).send(to: try daemon.awaitConnections(1, of: "command")[0])
      #expect(client.awaitEnd(within: .seconds(10)))
      try daemon.log.awaitLines(containing: "bytes, max-duration")
      _ = try daemon.awaitConnections(0, of: "command")
    }
  }

  @Test func aShortOneIsNotConcerned() throws {
    try withDaemon(SampleConfiguration.service("time", "max-duration = \"1s\"")) { daemon in
      for _ in 0..<20 { #expect(Expected.isTime(try ask(daemon.address("time")))) }
      try daemon.log.awaitLines(20, containing: "bytes, complete")
      #expect(daemon.log.lines(containing: "max-duration").isEmpty)
    }
  }

  @Test func placesComeBackAfterMaxDuration() throws {
    let lines = ["max-duration = \"1s\"", "max-connections-per-source = 4"]
    try withDaemon(SampleConfiguration.service("command", lines.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      for _ in 0..<2 {
        let crowd = try Crowd(6, at: address, from: "127.0.0.2")
        #expect(crowd.served.count == 4)
        for client in crowd.served { #expect(client.awaitEnd(within: .seconds(4))) }
        _ = try daemon.awaitConnections(0, of: "command")
      }
      #expect(daemon.log.lines(containing: "bytes, max-duration").count == 8)
    }
  }

  /// A byte now and then is not a line (slowloris).
  @Test func fiftyDrippingClientsAreCutWhileOneThatSendsLinesLives() throws {
    let lines = ["idle-timeout = \"2s\"", "max-connections-per-source = 51"]
    try withDaemon(SampleConfiguration.service("command", lines.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      let honest = try session(address)
      var dripping = try (0..<50).map { _ in try Client(address) }
      for client in dripping { _ = try client.receive(until: Expected.prompt) }
      let watch = Stopwatch()
      while !dripping.isEmpty, watch.elapsed < .seconds(8) {
        for client in dripping { try? client.send("x") }
        #expect(!honest.hears(within: .milliseconds(200)))
        try expectAlive(honest)
        dripping.removeAll { client in
          guard client.hears(within: .zero) else { return false }
          #expect(watch.elapsed > .milliseconds(500))
          return true
        }
      }
      #expect(dripping.isEmpty && watch.elapsed < .milliseconds(3500), "\(dripping.count) left, \(watch.elapsed)")
      try daemon.log.awaitLines(50, containing: "bytes, idle-timeout")
      try expectAlive(honest)
    }
  }

  /// No end is announced by a peer whose cable is cut.
  @Test(.enabled(if: Machine.isRoot, "only root can make networks"), arguments: ["command", "chargen"])
  func whoIsCutOffEndsAtTheIdleTimeout(with service: String) throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    try left.enter {
      let configuration = """
        [service.\(service)]
        serve = "\(service)"
        listen-stream = ["10.99.0.1:0"]
        idle-timeout = "1s"

        """
      try withDaemon(configuration) { daemon in
        let client = try right.enter { try Client(try daemon.address(service)) }
        _ = try client.receive(count: 10)
        try right.enter { try NetworkNamespace.configure("ip link set right down") }
        let line = try daemon.log.awaitLines(containing: "for \(try client.address()): ")[0]
        #expect(line.hasSuffix("bytes, idle-timeout"), "\(line)")
        _ = try daemon.awaitConnections(0, of: service)
      }
    }
  }

  @Test func theRecordNamesTheLimit() throws {
    let limits = ["first-byte-timeout = \"1s\"", "idle-timeout = \"2s\"", "max-duration = \"4s\""]
    try withDaemon(SampleConfiguration.service("command", limits.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      let (silent, slow, busy) = (try session(address), try session(address), try session(address))
      try slow.send("h")
      let watch = Stopwatch()
      while watch.elapsed < .seconds(10), !busy.hears(within: .milliseconds(100)) {
        guard (try? busy.send("help\n")) != nil, (try? busy.receive(until: Expected.prompt)) != nil else { break }
      }
      for (client, limit) in [(silent, "first-byte-timeout"), (slow, "idle-timeout"), (busy, "max-duration")] {
        let line = try daemon.log.awaitLines(containing: "for \(try client.address()): ")[0]
        #expect(line.hasSuffix("bytes, \(limit)"), "\(line)")
      }
    }
  }
}
