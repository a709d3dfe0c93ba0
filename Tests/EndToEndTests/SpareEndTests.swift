import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Spare processes while their listener ends.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SpareEndTests {
  /// A command server with two open connections, the second one of a spare, and spares that wait.
  private func withConnections(
    _ body: (_ listener: StandaloneListener, _ spares: [pid_t], _ first: Client, _ second: Client) throws -> Void
  ) throws {
    let options = ["--listen-stream", "127.0.0.1:0", "--spare-processes", "4", "--drain-timeout", "1h"]
    let listener = try StandaloneListener("command", options)
    let spares = Spares(of: listener.program.process)
    let first = try session(listener.address)
    let former = try spares.awaitSome()
    let second = try session(listener.address)
    #expect(former.contains(try spares.process(serving: second)))
    try body(listener, try spares.awaitSome(), first, second)
    #expect(try listener.program.awaitEnd() == .exited(code: 0), "\(listener.program.errors.text)")
    #expect(listener.program.errors.awaitEnd(within: .seconds(2)), "a process is left")
  }

  @Test func leaveTheAddressToTheNextListener() throws {
    try withConnections { listener, spares, first, second in
      try listener.program.send(.terminate)
      _ = try listener.program.errors.awaitLines(containing: "stopping; 2 connections may go on")
      let next = try StandaloneListener("command", ["--listen-stream", listener.address])
      let third = try session(next.address)
      for client in [first, second, third] { try expectAlive(client) }
      for client in [first, second, third] { client.hangUp() }
      try next.stop()
    }
  }

  /// A process that looks like a spare which has just accepted its client.
  private func process(of client: Client, _ listener: StandaloneListener, _ spares: [pid_t]) throws -> pid_t {
    let process = try Spares(of: listener.program.process).process(serving: client)
    try Spares.keepSockets(process, as: 3, by: spares[0])
    return process
  }

  @Test(.enabled(if: Spares.canBeProbed, "needs root and the registers of x86-64"))
  func areKilledIfTheyAreStoppedBeforeTheyHaveLeft() throws {
    try withConnections { listener, spares, first, second in
      let process = try process(of: second, listener, spares)
      try Signal.stop.send(to: process)
      try listener.program.send(.terminate)
      _ = try listener.program.errors.awaitLines(containing: "stopping; ")
      #expect(second.awaitEnd())
      #expect(!listener.program.errors.text.contains("still has the listening sockets"))
      try expectAlive(first)
      first.hangUp()
    }
  }

  @Test(.enabled(if: Spares.canBeProbed, "needs root and the registers of x86-64"))
  func delayNoEndIfTheyAreSlow() throws {
    try withConnections { listener, spares, first, second in
      _ = try process(of: second, listener, spares)
      let watch = Stopwatch()
      try listener.program.send(.terminate)
      _ = try listener.program.errors.awaitLines(containing: "stopping; 2 connections may go on")
      #expect(watch.elapsed < .milliseconds(900))
      for client in [first, second] { try expectAlive(client) }
      for client in [first, second] { client.hangUp() }
    }
  }

  /// The listener waits for the lock for admission when it begins to stop.
  @Test(.enabled(if: Spares.canBeProbed, "needs root and the registers of x86-64"))
  func holdNoLockIfTheyAreStopped() throws {
    try withConnections { listener, spares, first, second in
      try Spares.takeLock(spares[0])
      try listener.program.send(.terminate)
      let watch = Stopwatch()
      try Signal.stop.send(to: spares[0])
      _ = try listener.program.errors.awaitLines(containing: "stopping; 2 connections may go on")
      #expect(watch.elapsed < .seconds(3))
      for client in [first, second] { try expectAlive(client) }
      for client in [first, second] { client.hangUp() }
    }
  }

  @Test func areReplacedByAnUpgradeWhichKeepsTheirClients() throws {
    let installation = try Installation()
    let service = SampleConfiguration.service("command", "spare-processes = 4")
    let daemon = try installation.daemon("[daemon]\ndrain-timeout = \"1h\"\n" + service)
    let address = try daemon.address("command")
    var clients: [Client] = []
    for number in 1...3 {
      let listener = try #require(daemon.generations("command").last)
      let spares = Spares(of: listener)
      clients.append(try session(address))
      let waiting = try spares.awaitSome()
      let next = try session(address)
      clients.append(next)
      #expect(waiting.contains(try spares.process(serving: next)))
      let former = try spares.awaitSome()
      let run = try installation.upgrade()
      #expect(run.status == .exited(code: 0), "\(run.errors.text)")
      #expect(run.output.text.hasSuffix(" \(2 * number) connections go on\n"), "\(run.output.text)")
      #expect(eventually { former.allSatisfy { ProcessFacts($0) == nil } })
    }
    let shown = try runBegat("ps", "--json", "--control", installation.directory.path("run/control"))
    let connections = try #require(json(shown, as: [String: Any].self)["connections"] as? [Any])
    #expect(connections.count == clients.count)
    for client in clients { try expectAlive(client) }
    for client in clients { client.hangUp() }
    try daemon.stop()
  }
}
