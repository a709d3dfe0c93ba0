import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Limits and orders hold for clients of spares as for all others.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SpareLimitTests {
  private static let source = "127.0.0.2"

  /// A command server with an open connection from another source than the tests', and spares that wait.
  private func withSpares(
    _ lines: String..., body: (_ daemon: Daemon, _ address: String, _ spares: Spares) throws -> Void
  ) throws {
    let lines = ["spare-processes = 4"] + lines
    try withDaemon(SampleConfiguration.service("command", lines.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      let other = try client(address, from: "127.0.0.9")
      let spares = Spares(of: try daemon.listener("command"))
      _ = try spares.awaitSome()
      try body(daemon, address, spares)
      try expectAlive(other)
    }
  }

  private func client(_ address: String, from source: String = SpareLimitTests.source) throws -> Client {
    let client = try Client(address, from: source)
    _ = try client.receive(until: Expected.prompt)
    return client
  }

  @Test(arguments: [("rate", 11), ("rate-per-source", 12)])
  func admitNoMoreThanTheRate(key: String, count: Int) throws {
    // The first client was one of twelve.
    try withSpares("\(key) = \"12/d burst 12\"", "when-full = \"refuse\"") { daemon, address, spares in
      let waiting = try spares.awaitSome()
      let crowd = try Crowd(40, at: address, from: Self.source)
      #expect(crowd.served.count == count && crowd.refused.count == 40 - count)
      let processes = try crowd.served.map { try spares.process(serving: $0) }
      #expect(processes.contains { waiting.contains($0) }, "no client had a spare")
      crowd.hangUp()
    }
  }

  @Test func letClientsWaitForTheRate() throws {
    try withSpares("rate = \"12/d burst 2\"") { daemon, address, spares in
      let waiting = try spares.awaitSome()
      let second = try client(address)
      #expect(waiting.contains(try spares.process(serving: second)))
      let third = try Client(address, from: Self.source)
      try daemon.log.awaitLines(containing: "reached; further clients wait")
      #expect(!third.hears(within: .milliseconds(300)))
    }
  }

  /// Clients that spares accept while the listener looks at nothing are neither admitted against a ban nor forgotten by an
  /// order to end connections.
  @Test func obeyBansAndOrdersOfTheSameMoment() throws {
    try withSpares { daemon, address, spares in
      let waiting = try spares.awaitSome()
      try Signal.stop.send(to: spares.listener)
      let admitted = try client(address)
      #expect(waiting.contains(try spares.process(serving: admitted)))
      #expect(try daemon.begat("deny", Self.source).output.text == "\(Self.source) is denied\n")
      let banned = try Client(address, from: Self.source)
      #expect(!banned.hears(within: .milliseconds(200)))
      let words = ["end", "--source", Self.source, "--control", daemon.directory.path("run/control")]
      let end = try RunningProgram(try Programs.begat(), words)
      try Signal.continue.send(to: spares.listener)
      #expect(try end.awaitEnd() == .exited(code: 0) && end.output.text == "1 connection is ended\n")
      #expect(admitted.awaitEnd())
      #expect(try banned.receiveAll().isEmpty)
      #expect(try daemon.serves("127.0.0.3", at: "command"))
    }
  }

  @Test func countCrashesAgainstTheirSource() throws {
    try withSpares("deny-time = \"1h\"") { daemon, address, spares in
      let waiting = try spares.awaitSome()
      let crashing = try client(address)
      let process = try spares.process(serving: crashing)
      #expect(waiting.contains(process))
      try Signal.segmentationFault.send(to: process)
      #expect(crashing.awaitEnd())
      try daemon.log.awaitLines(containing: "crashed, SIGSEGV")
      #expect(try !daemon.serves(Self.source, at: "command"))
      #expect(try daemon.serves("127.0.0.3", at: "command"))
    }
  }
}
