import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Spare processes while their service is ended, replaced, short of processes, or without a socket.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SpareFaultTests {
  /// Makes all spares of a service wait.
  private func grow(_ daemon: Daemon, _ service: String, to count: Int) throws -> [ProcessFacts] {
    try Spares(of: daemon.listener(service)).grow(to: count) {
      let clients = try (0..<2 * count).map { _ in try Client(try daemon.address(service)) }
      for client in clients { #expect(Expected.isTime(try client.receiveAll())) }
    }
  }

  @Test func endWithTheirListener() throws {
    try withDaemon(SampleConfiguration.service("time", "spare-processes = 8")) { daemon in
      let former = try grow(daemon, "time", to: 8)
      try Signal.kill.send(to: try daemon.listener("time"))
      #expect(eventually { former.allSatisfy { !$0.isThere } })
      #expect(Expected.isTime(try ask(try daemon.address("time"))))
    }
  }

  @Test func areCountedNoMoreWhileTheirListenerDrains() throws {
    let service = SampleConfiguration.service("command", "spare-processes = 4")
    try withDaemon(service) { daemon in
      let open = try Client(try daemon.address("command"))
      _ = try open.receive(until: Expected.prompt)
      let former = try daemon.listener("command")
      _ = try Spares(of: former).awaitSome()
      let spares = Spares(of: former).all
      try daemon.reload(service + "max-connections = 9")
      #expect(eventually { spares.allSatisfy { !$0.isThere } })
      let samples = try MetricSamples.awaited(once: { $0[#"begat_listeners{service="command",role="retiring"}"#] == 1 })
      {
        MetricSamples(try daemon.begat("status", "--prometheus").output.text)
      }
      #expect(samples[#"begat_spare_processes{service="command"}"#] == 0)
      #expect(samples[#"begat_connections_open{service="command"}"#] == 1)
      try expectAlive(open)
    }
  }

  /// Clients that come all the time notice nothing of listeners that are replaced, each with sixteen spares.
  @Test func giveTheirPlaceToThoseOfTheNextListener() throws {
    func service(_ number: Int) -> String {
      SampleConfiguration.service(
        "time", "spare-processes = 16", "max-connections = \(200 + number)", "max-connections-per-source = 150")
    }
    try withDaemon(service(0)) { daemon in
      _ = try grow(daemon, "time", to: 16)
      let clients = ContinuousClients(8, at: try daemon.address("time")) { $0.utf8.count >= 4 }
      for number in 1...30 {
        try clients.await(more: 20)
        #expect(try daemon.reload(service(number)).contains("reloaded"))
      }
      let end = try clients.stop()
      #expect(end.problems.isEmpty, "\(end.problems.prefix(3))")
      #expect(eventually { daemon.generations("time").count == 1 })
    }
  }

  /// A Unix socket that was shut down stays ready forever, and its listener fails with a word.
  @Test func doNotSpinAtASocketThatWasShutDown() throws {
    let directory = try TemporaryDirectory()
    let socket = try TestSocket("/", in: directory)
    let program = try RunningProgram(
      try Programs.listener(),
      ["--serve", "time", "--spare-processes", "4", "--socket", "3"], passing: [socket.number])
    _ = try program.errors.awaitLines(containing: "ready on ")
    _ = try Spares(of: program.process).grow(to: 4) {
      let clients = try (0..<8).map { _ in try Client(socket.address) }
      for client in clients { #expect(Expected.isTime(try client.receiveAll())) }
    }
    #expect(shutdown(socket.number, CInt(SHUT_RD)) == 0)
    try program.errors.awaitLines(containing: "the socket was shut down")
    #expect(try program.awaitEnd() == .exited(code: 1))
    #expect(program.errors.awaitEnd(within: .seconds(2)), "a process is left")
  }

  /// A service whose listener accepts by itself for a second, though there are spares; `listener` is of a user of its
  /// own, so that it can be kept from forking.
  private func withClosedGate(
    _ lines: String..., body: (_ daemon: Daemon, _ listener: pid_t, _ address: String) throws -> Void
  ) throws {
    let lines = ["user = \"61234\"", "spare-processes = 4", "max-connections-per-source = 1"] + lines
    try withDaemon(SampleConfiguration.service("command", lines.joined(separator: "\n"))) { daemon in
      let listener = try daemon.listener("command")
      let address = try daemon.address("command")
      let first = try Client(address, from: "127.0.0.2")
      _ = try first.receive(until: Expected.prompt)
      _ = try Spares(of: listener).awaitSome()
      // It comes from the same source.
      #expect(try Client(address, from: "127.0.0.2").awaitEnd())
      let before = try softLimit("Max processes", of: listener)
      try body(daemon, listener, address)
      try setSoftLimit("nproc", of: listener, to: before)
    }
  }

  /// Idle spares do not keep a client from the last process that the listener may have.
  @Test(.enabled(if: Machine.isRoot, "needs a user of its own"))
  func leaveTheLastProcessesToAClient() throws {
    try withClosedGate { daemon, listener, address in
      let count = ProcessFacts.children(of: listener).filter { !$0.isZombie }.count + 1
      try setSoftLimit("nproc", of: listener, to: "\(count)")
      let second = try Client(address, from: "127.0.0.3")
      _ = try second.receive(until: Expected.prompt)
    }
  }

  /// A client that no process can be had for waits, and the listener with it.
  @Test(.enabled(if: Machine.isRoot, "needs a user of its own"))
  func doNotLetTheListenerSpinForAClientThatWaits() throws {
    try withClosedGate { daemon, listener, address in
      let before = try softLimit("Max processes", of: listener)
      try setSoftLimit("nproc", of: listener, to: "1")
      let second = try Client(address, from: "127.0.0.3")
      try daemon.log.awaitLines(containing: "command: clone: Resource temporarily")
      #expect(eventually { Spares(of: listener).all.isEmpty })
      let ticks = try #require(ProcessFacts(listener)?.processorTicks)
      #expect(!second.hears(within: .milliseconds(1500)))
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(Double(used) / Double(sysconf(CInt(_SC_CLK_TCK))) <= 0.2, "the listener spins")
      try setSoftLimit("nproc", of: listener, to: before)
      _ = try second.receive(until: Expected.prompt)
    }
  }

  /// The counts of sources are made anew when a spare dies while it changes them.
  @Test(.enabled(if: Spares.canBeProbed, "needs root and the registers of x86-64"))
  func leaveAClientThatWaitsItsPlace() throws {
    try withClosedGate("max-connections = 3") { daemon, listener, address in
      let before = try softLimit("Max processes", of: listener)
      let holder = try #require(Spares(of: listener).all.first).process
      try setSoftLimit("nproc", of: listener, to: "1")
      // The only connection holds one place; two are counted.
      try Spares.countPlaces(2, by: holder)
      try Spares.takeLock(holder)
      let second = try Client(address, from: "127.0.0.3")
      #expect(!second.hears(within: .milliseconds(100)))
      try Signal.kill.send(to: holder)
      try daemon.log.awaitLines(containing: "command: clone: Resource temporarily")
      #expect(eventually { Spares(of: listener).all.isEmpty })
      try setSoftLimit("nproc", of: listener, to: before)
      _ = try second.receive(until: Expected.prompt)
      #expect(try Client(address, from: "127.0.0.3").awaitEnd(), "the place was not counted")
      let third = try Client(address, from: "127.0.0.4")
      _ = try third.receive(until: Expected.prompt)
      second.hangUp()
      #expect(try eventually { try daemon.serves("127.0.0.3", at: "command") })
    }
  }
}
