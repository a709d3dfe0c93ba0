import Testing
@_spi(Begat) import UnixCore

/// How many clients one source may have at once.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct AdmissionLimitTests {
  private static let refusal = "too many, come back later"

  @Test(arguments: [true, false])
  func aFloodFromOneSourceGetsItsShareAndNoMore(isTold: Bool) throws {
    try withDaemon(command(isTold ? "refusal = \"\(Self.refusal)\"" : "")) { daemon in
      let address = try daemon.address("command")
      let flood = try Crowd(500, at: address, from: "127.0.0.2")
      #expect(flood.served.count == 32)
      #expect(flood.refused == [String](repeating: isTold ? Self.refusal + "\r\n" : "", count: 468))
      _ = try daemon.awaitConnections(32, of: "command")

      // Nobody else notices.
      let other = try Crowd(32, at: address, from: "127.0.0.3")
      #expect(other.served.count == 32)
      for client in flood.served + other.served { try expectAlive(client) }

      flood.hangUp()
      _ = try daemon.awaitConnections(32, of: "command")
      #expect(try Crowd(40, at: address, from: "127.0.0.2").served.count == 32)
    }
  }

  @Test func aFloodIsWorthTwoLines() throws {
    try withDaemon(command()) { daemon in
      let flood = try Crowd(100, at: try daemon.address("command"), from: "127.0.0.2")
      try daemon.log.awaitLines(containing: "max-connections-per-source: 68 connections refused in ")
      _ = flood
      let lines = daemon.log.lines(containing: "max-connections-per-source")
      #expect(lines.count == 2)
      #expect(lines[0].hasSuffix("max-connections-per-source (32) reached by 127.0.0.2: clients are refused"))
    }
  }

  @Test func aNetworkIsOneSourceWherePrefixesSaySo() throws {
    try withDaemon(command("source-prefix = { ipv4 = 24 }", "max-connections-per-source = 3")) { daemon in
      let address = try daemon.address("command")
      let network = try Crowd(20, at: address) { "127.0.7.\($0 + 1)" }
      #expect(network.served.count == 3)
      #expect(try Crowd(3, at: address) { "127.0.8.\($0 + 1)" }.served.count == 3)
    }
  }

  @Test func aFullServiceRefusesWhereItIsToldSo() throws {
    let lines = ["max-connections = 2", "when-full = \"refuse\"", "refusal = \"\(Self.refusal)\""]
    try withDaemon(command(lines.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      let full = try Crowd(5, at: address) { "127.0.9.\($0 + 1)" }
      #expect(full.served.count == 2 && full.refused == [String](repeating: Self.refusal + "\r\n", count: 3))
      full.served[0].hangUp()
      _ = try daemon.awaitConnections(1, of: "command")
      #expect(try Crowd(2, at: address, from: "127.0.9.9").served.count == 1)
      try daemon.log.awaitLines(containing: "max-connections: 4 connections refused in ")
      #expect(daemon.log.lines(containing: "max-connections").count == 2)
    }
  }

  @Test func aFullServiceLetsClientsWaitAndTellsItTwice() throws {
    try withDaemon(command("max-connections = 2")) { daemon in
      let address = try daemon.address("command")
      let full = try Crowd(2, at: address, from: "127.0.0.2")
      let waiting = try (0..<10).map { try Client(address, from: "127.0.10.\($0 + 1)") }
      try daemon.log.awaitLines(containing: "max-connections (2) reached; further clients wait")
      #expect(!waiting.contains { $0.hears(within: .milliseconds(20)) })
      full.hangUp()
      for client in waiting {
        _ = try client.receive(until: Expected.prompt)
        client.hangUp()
      }
      try daemon.log.awaitLines(containing: "max-connections: clients had to wait ")
      #expect(daemon.log.lines(containing: "max-connections").count == 2)
    }
  }

  /// The place is free when the process was fetched, a moment after the client has seen the end.
  @Test func whoComesAgainAfterTheEndIsServed() throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 1")) { daemon in
      let address = try daemon.address("time")
      for _ in 0..<100 {
        #expect(try eventually(within: .seconds(2)) { try ask(address, from: "127.0.0.2").count == 4 })
      }
    }
  }

  /// Those that are over and were not fetched yet are not the client's any more.  One whose process has not come to its
  /// exit is: on a machine that is busy enough, eight at a time can be seen as 32.
  @Test func whoHasFourAtATimeIsNotRefusedByTheDefault() throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      "[service.time]\nserve = \"time\"\nlog = \"none\"\nlisten-stream = [\"\(directory.path("time.sock"))\"]\n"
    }
    try withDaemon(configuration) { daemon in
      let load = try RunningProgram.run(
        try Programs.begat(),
        [
          "load", "--connections", "5000", "--concurrency", "4", "--expect-bytes", "4", "--json",
          try daemon.address("time"),
        ],
        within: .seconds(60))
      #expect(try figures(load)["ok"] == 5000, "\(load.output.text)")
    }
  }

  private func command(_ lines: String...) -> String {
    SampleConfiguration.service("command", lines.joined(separator: "\n"))
  }
}
