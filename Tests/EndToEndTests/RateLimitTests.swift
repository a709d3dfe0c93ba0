import Glibc
import Testing
@_spi(Begat) import UnixCore

/// How many clients may come in a time.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RateLimitTests {
  @Test func oneSourceIsHeldToItsRateAndOthersAreNot() throws {
    try withDaemon(time("rate-per-source = \"5/s burst 5\"")) { daemon in
      let address = try daemon.address("time")
      // Between two that are refused: somebody else has all of his own.
      func askFromElsewhere() throws {
        let replies = try (0..<5).map { _ in try ask(address, from: "127.0.0.3") }
        #expect(replies.allSatisfy(Expected.isTime))
      }
      let attempts = try Attempts(at: address, from: "127.0.0.2", for: .seconds(2), askFromElsewhere)
      attempts.expectRate(5, burst: 5)

      let line = try daemon.log.awaitLines(containing: "rate-per-source: ")[0]
      #expect(line.contains("rate-per-source: \(attempts.refused) connections refused in "))
      let lines = daemon.log.lines(containing: "rate-per-source")
      #expect(lines.count == 2)
      #expect(lines[0].hasSuffix("rate-per-source (5/s burst 5) reached by 127.0.0.2: clients are refused"))
    }
  }

  @Test func aQuarterMayComeAtOnce() throws {
    try withDaemon(time("rate-per-source = \"20/h\"")) { daemon in
      let address = try daemon.address("time")
      let served = try (0..<40).count { _ in !(try ask(address, from: "127.0.0.2")).isEmpty }
      #expect(served == 5)
      #expect(Expected.isTime(try ask(address, from: "127.0.0.3")))
    }
  }

  @Test func clientsBeyondTheServicesRateWait() throws {
    try withDaemon(time("rate = \"5/s burst 2\"")) { daemon in
      let address = try daemon.address("time")
      let listener = try daemon.listener("time")
      let ticks = try #require(ProcessFacts(listener)?.processorTicks)
      let watch = Stopwatch()
      let clients = try (0..<10).map { try Client(address, from: "127.0.11.\($0 + 1)") }
      for client in clients { #expect(Expected.isTime(try client.receiveAll())) }
      // Eight had to wait for a token each.
      #expect(watch.elapsed >= .milliseconds(1600))
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(used <= 20, "the listener spins")
      try daemon.log.awaitLines(containing: "rate: clients had to wait ")
      let lines = daemon.log.lines(containing: "rate").filter { !Daemon.isAboutLimits($0) }
      #expect(lines.count == 2 && lines[0].hasSuffix("rate (5/s burst 2) reached; further clients wait"))
    }
  }

  @Test func clientsBeyondTheServicesRateAreRefusedWhereItIsToldSo() throws {
    try withDaemon(time("rate = \"5/s burst 2\"", "when-full = \"refuse\"", "refusal = \"later\"")) { daemon in
      let attempts = try Attempts(
        at: try daemon.address("time"), from: "127.0.0.2", for: .seconds(1), told: "later\r\n")
      attempts.expectRate(5, burst: 2)
      let line = try daemon.log.awaitLines(containing: "rate: ")[0]
      #expect(line.contains("rate: \(attempts.refused) connections refused in "))
    }
  }

  /// systemd/systemd#15633: a service that was asked too often is slow, never off.
  @Test func whoWasRefusedIsServedWhenItIsTime() throws {
    try withDaemon(time("rate-per-source = \"2/s burst 2\"")) { daemon in
      let address = try daemon.address("time")
      for _ in 0..<1000 { _ = try ask(address, from: "127.0.0.2") }
      let isServed = try eventually(within: .seconds(3)) { Expected.isTime(try ask(address, from: "127.0.0.2")) }
      #expect(isServed)
    }
  }

  @Test func waitingCostsNobodyTheDaemonsStop() throws {
    try withDaemon(time("rate = \"1/d burst 1\"")) { daemon in
      let address = try daemon.address("time")
      #expect(Expected.isTime(try ask(address)))
      let waiting = try Client(address)
      try daemon.log.awaitLines(containing: "further clients wait")
      try daemon.stop()
      #expect(waiting.awaitEnd(within: .seconds(1)))
    }
  }

  private func time(_ lines: String...) -> String {
    SampleConfiguration.service("time", lines.joined(separator: "\n"))
  }

  /// Connections of one client, one after the other, as fast as they come.
  private struct Attempts {
    private(set) var served = 0
    private(set) var refused = 0
    private var longestGap = Duration.zero
    private let elapsed: Duration

    /// - Parameter body: is run once, when somebody was refused.
    init(
      at address: String, from source: String, for time: Duration, told refusal: String = "",
      _ body: () throws -> Void = {}
    ) throws {
      let watch = Stopwatch()
      var last = watch.elapsed
      while watch.elapsed < time {
        let reply = try ask(address, from: source)
        longestGap = max(longestGap, watch.elapsed - last)
        last = watch.elapsed
        if Expected.isTime(reply) {
          served += 1
        } else {
          #expect(reply == Array(refusal.utf8))
          refused += 1
          if refused == 1 { try body() }
        }
      }
      elapsed = watch.elapsed
    }

    /// Asserts that as many were served as the time allowed, give or take one.
    func expectRate(_ perSecond: Double, burst: Int, sourceLocation: SourceLocation = #_sourceLocation) {
      let seconds = Double(elapsed.milliseconds + 1) / 1000
      #expect(Double(served) <= Double(burst) + perSecond * seconds + 1, sourceLocation: sourceLocation)
      #expect(refused > 0, sourceLocation: sourceLocation)
      // On a machine that stood still for so long, tokens were lost.
      guard Double(longestGap.milliseconds) / 1000 < Double(burst - 1) / perSecond else { return }
      #expect(
        Double(served) >= Double(burst) + (perSecond * seconds).rounded(.down) - 1, sourceLocation: sourceLocation)
    }
  }
}
