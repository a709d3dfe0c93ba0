import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Exits that no signal announces, and signals that no exit has sent.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SignalFaultTests {
  @Test func exitsAreNoticedThoughTheSignalQueueIsFull() throws {
    let count = 500
    let limits = [
      "max-connections = \(count)", "max-connections-per-source = \(count)", "log-rate = \"none\"",
    ]
    try withDaemon(SampleConfiguration.service("command", limits.joined(separator: "\n"))) { daemon in
      let address = try daemon.address("command")
      let listener = try daemon.listener("command")
      try setSoftLimit("sigpending", of: listener, to: "10")
      let clients = try (0..<count).map { _ in try session(address) }
      _ = try daemon.awaitConnections(count, of: "command")

      // While the listener is stopped, all end: the queue takes ten of the exits.
      try Signal(rawValue: SIGSTOP).send(to: listener)
      for client in clients { client.hangUp() }
      #expect(eventually { (try? daemon.connections("command"))?.count(where: \.isZombie) == count })
      try Signal(rawValue: SIGCONT).send(to: listener)
      _ = try daemon.awaitConnections(0, of: "command", within: .seconds(2))

      try daemon.log.awaitLines(count, containing: "command: pid ")
      #expect(daemon.log.lines(containing: "command: pid ").count == count)
      // Every slot is free again, and none twice.
      let others = try (0..<count).map { _ in try session(address) }
      let oneTooMany = try Client(address)
      #expect(!oneTooMany.hears(within: .milliseconds(300)))
      _ = try daemon.awaitConnections(count, of: "command")
      for client in others { client.hangUp() }
      #expect(try oneTooMany.receive(until: Expected.prompt) == Expected.banner + Expected.prompt)
    }
  }

  @Test func forgedSignalsChangeNothing() throws {
    try withDaemon(SampleConfiguration.service("command", "max-connections = 2")) { daemon in
      let address = try daemon.address("command")
      let listener = try daemon.listener("command")
      let sessions = try [session(address), session(address)]
      let processes = try daemon.awaitConnections(2, of: "command")
      let waiting = try Client(address)
      let ticks = try #require(ProcessFacts(listener)?.processorTicks)

      // kill(2), and rt_sigqueueinfo(2) with the number of a living connection's process, as its own exit would have.
      let script = """
        import ctypes, os, platform, signal, struct, sys
        listener, children = int(sys.argv[1]), [int(word) for word in sys.argv[2:]]
        exit_signal = signal.SIGRTMIN + 1
        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 129, "aarch64": 138}[platform.machine()]
        for turn in range(10000):
            os.kill(listener, exit_signal)
            info = struct.pack("iiiiiI", exit_signal, 0, -1, 0, children[turn % len(children)], os.getuid()).ljust(128, b"\\0")
            if libc.syscall(number, listener, exit_signal, info) != 0 and ctypes.get_errno() != 11:
                sys.exit(os.strerror(ctypes.get_errno()))
        """
      _ = try RunningProgram.tool("python3", ["-c", script, "\(listener)"] + processes.map(String.init))

      for session in sessions { try expectAlive(session) }
      #expect(try daemon.awaitConnections(2, of: "command").sorted() == processes.sorted())
      #expect(!waiting.hears(within: .milliseconds(300)), "a slot was freed")
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(Double(used) / Double(sysconf(CInt(_SC_CLK_TCK))) <= 1)
      sessions[0].hangUp()
      #expect(try waiting.receive(until: Expected.prompt) == Expected.banner + Expected.prompt)
      #expect(try daemon.listener("command") == listener)
    }
  }

  /// Any process of the same user can send them.  With so low limits, connections whose ends are noticed too late would
  /// keep clients away.
  @Test(arguments: ["daytime", "program"], ["exit", "SIGCHLD", "SIGHUP"])
  func aFloodOfForgedSignalsDelaysNoClient(service: String, signal: String) throws {
    let script = """
      import ctypes, os, platform, signal, struct, sys
      listener = int(sys.argv[1])
      number = signal.SIGRTMIN + 1 if sys.argv[2] == "exit" else signal.Signals[sys.argv[2]]
      libc = ctypes.CDLL(None, use_errno=True)
      call = {"x86_64": 129, "aarch64": 138}[platform.machine()]
      info = struct.pack("iiiiiI", number, 0, -1, 0, os.getpid(), os.getuid()).ljust(128, b"\\0")
      print("begun", flush=True)
      while True: libc.syscall(call, listener, number, info)
      """
    let limits = "max-connections = 8\nmax-connections-per-source = 4\nwhen-full = \"refuse\""
    let configuration =
      SampleConfiguration.service("daytime", limits)
      + SampleConfiguration.script("program", "exec date '+%a %b %e %T %Y\r'", limits)
    try withDaemon(configuration) { daemon in
      let listener = try daemon.listener(service)
      let flood = try RunningProgram(try Programs.tool("python3"), ["-c", script, "\(listener)", signal])
      try flood.output.awaitLines(containing: "begun")
      let count = 40
      for _ in 0..<count { #expect(Expected.isDaytime(try ask(daemon.address(service)))) }
      _ = try daemon.awaitConnections(0, of: service)
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let row = (answer["services"] as? [[String: Any]])?.first { $0["name"] as? String == service }
      #expect(row?["accepted"] as? Int == count && row?["ended"] as? Int == count)
      #expect((row?["refused"] as? [String: Int])?.values.reduce(0, +) == 0)
      #expect(try daemon.listener(service) == listener)
      flood.kill()
    }
  }

  @Test func stoppedAndContinuedConnectionsAreCountedOnce() throws {
    try withDaemon(SampleConfiguration.service("command", "max-connections = 1")) { daemon in
      let address = try daemon.address("command")
      let client = try session(address)
      let process = try daemon.awaitConnections(1, of: "command")[0]
      let waiting = try Client(address)
      for signal in [SIGSTOP, SIGCONT] {
        try Signal(rawValue: signal).send(to: process)
        #expect(eventually { ProcessFacts(process)?.isStopped == (signal == SIGSTOP) })
        #expect(!waiting.hears(within: .milliseconds(100)))
      }
      try expectAlive(client)
      client.hangUp()
      _ = try waiting.receive(until: Expected.prompt)
    }
  }

  /// Of a debug build.
  private static let withoutBacktraces = ["SWIFT_BACKTRACE=enable=no"]

  /// Under a service manager too: what tells it needs no deadline that a signal keeps.
  @Test func noHandlerRunsAnywhere() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      SampleConfiguration.service("command"), in: directory, environment: [socket.variable] + Self.withoutBacktraces)
    _ = try socket.take(until: "READY=1")
    let client = try session(try daemon.address("command"))
    let listener = try daemon.listener("command")
    for process in [daemon.process, listener] + (try daemon.awaitConnections(1, of: "command")) {
      #expect(ProcessFacts.statusLine("SigCgt", of: process) == "0000000000000000", "\(ProcessFacts.title(process))")
      #expect(ProcessFacts.statusLine("Threads", of: process) == "1", "\(ProcessFacts.title(process))")
    }
    client.hangUp()
    try daemon.stop()
  }
}
