import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Processes that die without a word, and those that must not notice.
@Suite(.timeLimit(.minutes(30)))
struct KilledProcessTests {
  private static let configuration =
    SampleConfiguration.service("victim", serving: "command") + SampleConfiguration.service("other", serving: "command")

  @Test func aKilledConnectionConcernsNobodyElse() throws {
    try withDaemon(Self.configuration) { daemon in
      let unlucky = try session(try daemon.address("victim"))
      let neighbour = try session(try daemon.address("victim"))
      let peer = try unlucky.address()
      let process = try daemon.awaitConnections(2, of: "victim").first {
        ProcessFacts.title($0) == "begat-listener: victim \(peer)"
      }
      try Signal.kill.send(to: try #require(process))
      #expect(unlucky.awaitEnd())
      try daemon.log.awaitLines(containing: "victim: pid \(process!) for \(peer): ")
      #expect(daemon.log.lines(containing: "ended by SIGKILL").count == 1)
      try expectAlive(neighbour)
      _ = try session(try daemon.address("victim"))
    }
  }

  /// What a program has started keeps the client's socket, and nobody but begatd is left to end it.
  @Test func aKilledListenerLeavesNoneOfItsProgramsChildren() throws {
    let script = "trap '' HUP TERM; sleep 300 & echo $$ $!; wait"
    try withDaemon(SampleConfiguration.script("victim", script)) { daemon in
      let client = try Client(try daemon.address("victim"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      try Signal.kill.send(to: try daemon.listener("victim"))
      #expect(client.awaitEnd(within: .seconds(2)))
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  @Test func aKilledListenerIsReplacedAtOnce() throws {
    try withDaemon(Self.configuration) { daemon in
      let address = try daemon.address("victim")
      let bystander = try session(try daemon.address("other"))
      let descriptors = ProcessFacts.descriptors(of: daemon.process).count
      for _ in 0..<20 {
        let open = try session(address)
        let listener = try daemon.listener("victim")
        // One that dies in its first second is started again later and later: that is another test.
        #expect(eventually { age(of: listener) > 1.1 })
        let watch = Stopwatch()
        try daemon.killListener("victim")
        _ = try session(address)
        #expect(watch.elapsed < .seconds(2))
        #expect(open.awaitEnd(within: .seconds(2)))
      }
      try expectAlive(bystander)
      let lines = daemon.log.lines(
        containing: "ended, and 1 connection with it: killed by SIGKILL; started again immediately")
      #expect(lines.count == 20)
      #expect(eventually { ProcessFacts.descriptors(of: daemon.process).count == descriptors })
    }
  }

  @Test func aListenerThatDiesYoungIsStartedLaterAndLater() throws {
    try withDaemon(Self.configuration) { daemon in
      for delay in ["immediately", "in 100ms", "in 200ms", "in 400ms", "in 800ms"] {
        _ = try session(try daemon.address("victim"))
        try Signal(rawValue: SIGSEGV).send(to: try daemon.listener("victim"))
        #expect(daemon.log.wait(within: .seconds(5)) { $0.contains("; started again \(delay)") })
      }
      _ = try session(try daemon.address("victim"))
    }
  }

  /// Another process of its user may kill it again and again: that is no fault of its own.
  @Test func aListenerThatOthersKillIsSoonBack() throws {
    try withDaemon(Self.configuration) { daemon in
      let address = try daemon.address("victim")
      for turn in 0..<12 {
        _ = try session(address)
        let watch = Stopwatch()
        try daemon.killListener("victim")
        _ = try session(address)
        #expect(watch.elapsed < .milliseconds(1200), "turn \(turn)")
      }
      #expect(!daemon.log.text.contains("started again in 800ms"))
    }
  }

  @Test func listenersDrainAndEndWhenBegatdIsKilled() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("command.sock")
    let configuration = """
      [service.command]
      serve = "command"
      listen-stream = ["127.0.0.1:0", "\(path)"]

      """
    let daemon = try Daemon(configuration + SampleConfiguration.service("hello"), in: directory)
    let client = try session(try daemon.address("command"))
    daemon.noteProcesses()
    try daemon.program.send(.kill)
    try daemon.log.awaitLines(containing: "the supervisor is gone")
    #expect(eventually { (try? Client(try daemon.address("command"))) == nil }, "clients are still accepted")
    try expectAlive(client)
    try client.send("quit\n")
    #expect(client.awaitEnd())

    // The file is left behind: nobody was there to remove it.  The next begatd takes its place.
    let next = try Daemon(configuration, in: directory)
    _ = try session(path)
    try next.stop()
    try daemon.awaitEnd(expecting: .killed(by: .kill, dumpedCore: false))
  }

  @Test func aKilledResolverIsReplaced() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      let resolver = try #require(
        ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") })
      try Signal.kill.send(to: resolver.process)
      try daemon.log.awaitLines(containing: "names: the resolver ended: killed by SIGKILL; started again in 1s")
      #expect(
        eventually { ProcessFacts.children(of: daemon.process).contains { $0.title.contains("--resolve-names") } })
      // It answers at the socket of a listener that lived before it.
      let name = HostsFile.name(of: "127.0.0.1") ?? "127.0.0.1"
      let address = try daemon.address("hello")
      #expect(eventually { (try? ask(address).starts(with: Array("Hello there, \(name),".utf8))) == true })
    }
  }

  /// Seconds since the start of a process.
  private func age(of process: pid_t) -> Double {
    guard let ticks = ProcessFacts(process).flatMap({ Double($0.startTime) }) else { return 0 }
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 - ticks / Double(sysconf(CInt(_SC_CLK_TCK)))
  }
}

/// A session with the command service, at its first prompt.
func session(_ address: String) throws -> Client {
  let client = try Client(address)
  #expect(try client.receive(until: Expected.prompt) == Expected.banner + Expected.prompt)
  return client
}

func expectAlive(_ session: Client, sourceLocation: SourceLocation = #_sourceLocation) throws {
  try session.send("help\n")
  #expect(
    try session.receive(until: Expected.prompt) == Expected.help + Expected.prompt, sourceLocation: sourceLocation)
}
