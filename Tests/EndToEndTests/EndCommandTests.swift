import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat end`.
@Suite(.timeLimit(.minutes(30)))
struct EndCommandTests {
  private static let configuration =
    SampleConfiguration.service("command") + SampleConfiguration.service("other", serving: "command")

  /// The connections of one service as `begat ps` shows them, by their client's address: those of different services
  /// may come from one.
  private func rows(_ daemon: Daemon) throws -> [String: [String: Any]] {
    let answer = try json(try daemon.begat("ps", "command", "--json"), as: [String: Any].self)
    let rows = try #require(answer["connections"] as? [[String: Any]])
    return Dictionary(uniqueKeysWithValues: rows.map { ($0["peer"] as? String ?? "?", $0) })
  }

  private func id(of client: Client, _ daemon: Daemon) throws -> String {
    try #require(try rows(daemon)[client.address()]?["id"] as? String)
  }

  @Test func anIdEndsItsConnectionAndNoOther() throws {
    try withDaemon(Self.configuration) { daemon in
      let clients = try (0..<3).map { _ in try session(try daemon.address("command")) }
      let id = try id(of: clients[1], daemon)
      let end = try daemon.begat("end", id)
      #expect(end.status == .exited(code: 0) && end.output.text == "1 connection is ended\n")
      #expect(clients[1].awaitEnd())
      try expectAlive(clients[0])
      // Its slot and its place belong to the next client.
      #expect(try eventually { try rows(daemon).count == 2 })
      let next = try session(try daemon.address("command"))
      let again = try daemon.begat("end", id)
      #expect(again.status == .exited(code: 1))
      #expect(again.errors.text == "begat end: no connection \(id)\n")
      for client in [clients[0], clients[2], next] { try expectAlive(client) }
      try daemon.log.awaitLines(containing: "command: pid ")
    }
  }

  @Test func aProcessIsEndedIfItServesAConnection() throws {
    try withDaemon(Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let other = try session(try daemon.address("command"))
      let process = try #require(try rows(daemon)[client.address()]?["pid"] as? Int)
      // A stranger, the listener and begatd are none.
      let stranger = try RunningProgram("/bin/sleep", ["60"])
      for number in [stranger.process, try daemon.listener("command"), daemon.process, 1] {
        let end = try daemon.begat("end", "\(number)")
        #expect(end.status == .exited(code: 1) && end.errors.text.contains("no connection \(number)"))
      }
      #expect(!stranger.hasEnded)
      let end = try daemon.begat("end", "\(process)", "\(stranger.process)")
      #expect(end.status == .exited(code: 1))
      #expect(end.output.text == "1 connection is ended\n")
      #expect(client.awaitEnd())
      try expectAlive(other)
      stranger.kill()
    }
  }

  @Test func aSourceEndsAllOfItsConnections() throws {
    try withDaemon(Self.configuration) { daemon in
      func client(_ service: String, from source: String) throws -> Client {
        let client = try Client(try daemon.address(service), from: source)
        _ = try client.receive(until: Expected.prompt)
        return client
      }
      let one = try client("command", from: "127.0.0.2")
      let two = try client("other", from: "127.0.0.2")
      let neighbour = try client("command", from: "127.0.0.3")
      let some = try daemon.begat("end", "--source", "127.0.0.2", "--service", "other")
      #expect(some.output.text == "1 connection is ended\n")
      #expect(two.awaitEnd())
      try expectAlive(one)
      #expect(try daemon.begat("end", "--source", "127.0.0.0/30").output.text == "2 connections are ended\n")
      #expect(one.awaitEnd() && neighbour.awaitEnd())
      let none = try daemon.begat("end", "--source", "192.0.2.0/24")
      #expect(none.status == .exited(code: 0) && none.output.text == "0 connections are ended\n")
    }
  }

  /// Those of former listeners too.
  @Test func aServiceAndAllOfThemAreEndedOverGenerations() throws {
    func configuration(_ number: Int) -> String {
      SampleConfiguration.service("command", "max-connections = \(100 + number)")
        + SampleConfiguration.service("other", serving: "command")
    }
    try withDaemon(configuration(0)) { daemon in
      var clients: [Client] = []
      for number in 0..<3 {
        if number > 0 { try daemon.reload(configuration(number)) }
        clients.append(try session(try daemon.address("command")))
      }
      let other = try session(try daemon.address("other"))
      #expect(daemon.generations("command").count == 3)
      let oldest = try id(of: clients[0], daemon)
      #expect(oldest.hasPrefix("command/1."))
      #expect(try daemon.begat("end", oldest).output.text == "1 connection is ended\n")
      #expect(clients[0].awaitEnd())
      #expect(eventually { daemon.generations("command").count == 2 })
      #expect(try daemon.begat("end", "--service", "command").output.text == "2 connections are ended\n")
      #expect(clients[1].awaitEnd() && clients[2].awaitEnd())
      try expectAlive(other)
      #expect(try daemon.begat("end", "--all").output.text == "1 connection is ended\n")
      #expect(other.awaitEnd())
    }
  }

  /// A listener that does not turn keeps the answer for 5 s, and is named then.
  @Test func aListenerThatDoesNotAnswerIsReported() throws {
    try withDaemon(Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let listener = try daemon.listener("command")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      let watch = Stopwatch()
      let end = try daemon.begat("end", "--all")
      #expect(watch.elapsed > .milliseconds(4900) && watch.elapsed < .seconds(8), "\(watch.elapsed)")
      #expect(end.status == .exited(code: 1))
      #expect(end.errors.text.contains("does not answer"), "\(end.errors.text)")
      try Signal(rawValue: SIGCONT).send(to: listener)
      #expect(client.awaitEnd())
    }
  }

  /// A program that ignores SIGTERM is killed five seconds later.
  @Test func whatIgnoresTheOrderIsKilled() throws {
    let script = "trap '' TERM; echo here; while :; do sleep 1; done"
    try withDaemon(SampleConfiguration.script("deaf", script)) { daemon in
      let client = try Client(try daemon.address("deaf"))
      _ = try client.receive(until: "here\n")
      #expect(try daemon.begat("end", "--service", "deaf").output.text == "1 connection is ended\n")
      #expect(client.awaitEnd(within: .seconds(9)))
    }
  }
}
