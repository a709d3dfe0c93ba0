import Testing
@_spi(Begat) import UnixCore

/// Many short connections at once.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct BurstTests {
  /// All clients have the same address: who finds no room is to wait.
  private static let oneSource = "max-connections-per-source = 256\nlog-rate = \"none\""

  @Test(arguments: ["time", "daytime", "hello"])
  func nobodyIsLostAndNothingIsLeft(_ service: String) throws {
    try withDaemon(SampleConfiguration.service(service, Self.oneSource)) { daemon in
      let address = try daemon.address(service)
      let listener = try daemon.listener(service)
      _ = try ask(address)
      _ = try daemon.awaitConnections(0, of: service)
      let before = [daemon.process, listener].map { ProcessFacts.descriptors(of: $0).count }

      let load = try RunningProgram.run(
        try Programs.begat(), ["load", "--connections", "2000", "--concurrency", "64", "--json"] + target(address),
        within: .seconds(60))
      #expect(load.status == .exited(code: 0), "\(load.errors.text)\(load.output.text)")
      #expect(try figures(load)["ok"] == 2000, "\(load.output.text)")

      _ = try daemon.awaitConnections(0, of: service, within: .seconds(2))
      #expect(daemon.zombies.isEmpty)
      #expect(eventually { [daemon.process, listener].map { ProcessFacts.descriptors(of: $0).count } == before })
      #expect(try daemon.listener(service) == listener)
      try daemon.log.awaitLines(2001, containing: ", complete")
      #expect(daemon.log.lines(containing: ", complete").count == 2001)
    }
  }

  @Test func nobodyIsRefusedWhileListenersDie() throws {
    let concurrency = 8
    try withDaemon(SampleConfiguration.service("time", Self.oneSource)) { daemon in
      let address = try daemon.address("time")
      let load = try RunningProgram(
        try Programs.begat(),
        ["load", "--connections", "3000", "--concurrency", "\(concurrency)", "--expect-bytes", "4", "--json"]
          + target(address))
      for served in [500, 1000, 1500] {
        try daemon.log.awaitLines(served, containing: "time: pid ")
        try Signal.kill.send(to: try daemon.listener("time"))
      }
      try load.awaitEnd(within: .seconds(60))
      let figures = try figures(load)
      #expect(figures["refused"] == 0 && figures["timed_out"] == 0, "\(load.output.text)")
      // Those in flight when their listener died.
      #expect(figures["ok"] ?? 0 >= 3000 - 3 * Double(concurrency), "\(load.output.text)")
    }
  }
}
