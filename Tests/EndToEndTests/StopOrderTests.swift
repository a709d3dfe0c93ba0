import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What begatd does from the order to stop to its end.
@Suite(.timeLimit(.minutes(30)))
struct StopOrderTests {
  private static let echo = SampleConfiguration.service("echo", "max-connections-per-source = 256")

  @Test(arguments: DrainTests.cases) func losesNoClientUnderLoad(_ kind: DrainTests.Case) throws {
    let directory = try TemporaryDirectory()
    let address = kind.address == "/" ? directory.path("e.sock") : kind.address
    let text =
      "[daemon]\nannounce-time = \"1s\"\n"
      + "[service.echo]\n\(kind.lines)\nlisten-stream = [\"\(address)\"]\nmax-connections-per-source = 256\n"
    let daemon = try Daemon(text, in: directory)
    let clients = try EchoClients(16, at: try daemon.address("echo"), staying: false)
    let start = SystemClock.monotonic()
    try daemon.program.send(.terminate)
    let report = try clients.stop()
    #expect(report.lost.isEmpty, "\(report.lost)")
    #expect(report.refused == 16 && report.served > 16)
    #expect(report.firstRefusal - start >= 1_000_000_000, "\(report.firstRefusal - start) ns")
    #expect(report.lastArrival < report.firstRefusal)
    try daemon.awaitEnd()
  }

  // MARK: The second signal

  /// What could hold up the end of begatd.
  struct Stubborn: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let configuration: String
    /// Whether the listener is stopped before the second signal.
    var isStopped = false
  }

  private static let deaf = "trap '' TERM HUP; (trap '' TERM; sleep 300) & echo $$ $!; while :; do sleep 300; done"

  static let stubborn = [
    Stubborn(testDescription: "built-in", configuration: echo),
    Stubborn(
      testDescription: "program that ignores TERM", configuration: SampleConfiguration.script("echo", deaf)),
    Stubborn(
      testDescription: "relay with an open client",
      configuration: SampleConfiguration.script("echo", "exec cat", "relay = true")),
    Stubborn(
      testDescription: "relay of a program that ignores TERM",
      configuration: SampleConfiguration.script("echo", deaf, "relay = true")),
    Stubborn(testDescription: "stopped listener", configuration: echo, isStopped: true),
    Stubborn(
      testDescription: "stopped listener of a program that ignores TERM",
      configuration: SampleConfiguration.script("echo", deaf), isStopped: true),
  ]

  @Test(arguments: stubborn) func aSecondSignalEndsEverythingWithinASecond(_ kind: Stubborn) throws {
    try withDaemon(kind.configuration) { daemon in
      let client = try Client(try daemon.address("echo"))
      try client.send("x\n")
      _ = try client.receive(until: "\n")
      daemon.noteProcesses()
      let listener = try daemon.listener("echo")
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "begatd: stopping")
      if kind.isStopped { try Signal(rawValue: SIGSTOP).send(to: listener) }
      try daemon.log.awaitLines(containing: kind.isStopped ? "begatd: stopping" : "may go on for 30s")
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
      #expect(watch.elapsed < .seconds(1), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)))
      print("second signal, \(kind.testDescription): \(watch.elapsed.milliseconds) ms")
    }
  }

  /// Whether it comes before begatd has closed its sockets or just when it does.
  @Test func theSecondSignalMayComeAtAnyTime() throws {
    for announcement in ["0s", "30s"] {
      try withDaemon("[daemon]\nannounce-time = \"\(announcement)\"\n" + Self.echo) { daemon in
        let client = try Client(try daemon.address("echo"))
        try client.send("x")
        _ = try client.receive(count: 1)
        try daemon.program.send(.terminate)
        try daemon.log.awaitLines(containing: "begatd: stopping")
        let watch = Stopwatch()
        try daemon.program.send(.terminate)
        #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
        #expect(watch.elapsed < .seconds(1), "\(announcement): \(watch.elapsed)")
        #expect(client.awaitEnd(within: .seconds(1)))
      }
    }
  }

  @Test func aRepeatedRequestEndsNothing() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let client = try session(try daemon.address("command"))
      #expect(
        try daemon.begat("stop").output.text == "stopping; open connections may go on for 30s\n")
      #expect(
        try daemon.begat("stop").output.text == "stopping already; open connections may go on for 30s\n")
      try expectAlive(client)
      let reload = try daemon.begat("reload")
      #expect(reload.status == .exited(code: 1) && reload.errors.text.contains("begatd is stopping"))
      #expect(try daemon.begat("resume", "command").status == .exited(code: 1))
      try client.send("quit\n")
      #expect(client.awaitEnd())
      try daemon.awaitEnd()
    }
  }

  // MARK: The service manager

  @Test func theServiceManagerWaitsForOpenConnections() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      "[daemon]\nannounce-time = \"1s\"\ndrain-timeout = \"20s\"\n" + SampleConfiguration.service("command"),
      in: directory, environment: [socket.variable])
    _ = try socket.take(until: "READY=1")
    let client = try session(try daemon.address("command"))
    try daemon.program.send(.terminate)
    let first = try #require(try socket.take(until: "STOPPING=1").last)
    #expect(first.contains("STATUS=stopping: clients are accepted for 1s more"), "\(first)")
    #expect(first.contains("EXTEND_TIMEOUT_USEC=10000000"), "\(first)")
    let second = try #require(try socket.take(until: "STATUS=stopping: 1 connection may go on for 20s at most").last)
    #expect(second.contains("STOPPING=1"))
    // The next one comes before the time of the first is over.
    let watch = Stopwatch()
    let third = try #require(try socket.take(until: "EXTEND_TIMEOUT_USEC=", within: .seconds(9)).last)
    #expect(third.contains("EXTEND_TIMEOUT_USEC=10000000") && third.contains("STOPPING=1"), "\(third)")
    #expect(watch.elapsed > .seconds(2))
    try client.send("quit\n")
    #expect(client.awaitEnd())
    try daemon.awaitEnd()
  }

  // MARK: Listeners that are left

  @Test func listenersThatAreLeftGoOnAndTheNextBegatdServes() throws {
    let directory = try TemporaryDirectory()
    let address = try FreePorts.addresses(1)[0]
    let text = """
      [service.command]
      serve = "command"
      listen-stream = ["\(address)", "\(directory.path("c.sock"))"]

      """
    let daemon = try Daemon(text, in: directory, options: ["--leave-listeners"])
    let clients = [try session(address), try session(directory.path("c.sock"))]
    let listener = try daemon.listener("command")
    let facts = try #require(ProcessFacts(listener))
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    #expect(daemon.log.lines(containing: "1 listener lets its 2 connections end").count == 1)
    for client in clients { try expectAlive(client) }
    let next = try Daemon(text, in: directory)
    let late = try session(address)
    for client in clients + [late] { try expectAlive(client) }
    for client in clients { client.hangUp() }
    #expect(eventually { !facts.isThere })
    try expectAlive(late)
    late.hangUp()
    try next.stop()
  }

  /// They end what is left when its time is over.
  @Test func listenersThatAreLeftKeepTheDrainTimeout() throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(
      "[daemon]\ndrain-timeout = \"1s\"\n" + SampleConfiguration.service("command"), in: directory,
      options: ["--leave-listeners"])
    let client = try session(try daemon.address("command"))
    let facts = try #require(ProcessFacts(try daemon.listener("command")))
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(client.awaitEnd(within: .seconds(4)))
    #expect(eventually { !facts.isThere })
  }
}
