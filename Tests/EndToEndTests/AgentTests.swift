import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `serve = "haproxy-agent"`: what HAProxy is told about begatd's services, also while they end.
@Suite(.timeLimit(.minutes(30)))
struct AgentTests {
  private static func agent(_ lines: String..., name: String = "agent") -> String {
    SampleConfiguration.service(name, lines.joined(separator: "\n"), serving: "haproxy-agent")
  }

  private static let services = SampleConfiguration.service("time") + SampleConfiguration.service("echo")

  /// Expects an answer, which may come a moment later.
  private func expect(
    _ answer: String, of service: String? = nil, at address: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var last = ""
    let isSo = eventually {
      last = (try? self.answer(of: service, at: address)) ?? "no answer"
      return last == answer
    }
    #expect(isSo, "\(service ?? "all"): \(last), not \(answer)", sourceLocation: sourceLocation)
  }

  /// Asks as HAProxy does, which reads one line and closes.
  private func answer(of service: String?, at address: String) throws -> String {
    let client = try Client(address)
    if let service { try client.send("\(service)\n") }
    return String(try client.receive(until: "\n").dropLast())
  }

  // MARK: One verdict

  @Test func saysWhatOthersSay() throws {
    let page = SampleConfiguration.service("status")
    try withDaemon("[daemon]\nannounce-time = \"3s\"\n" + Self.agent() + page + Self.services) { daemon in
      let address = try daemon.address("agent")
      func agree(
        _ answer: String, _ text: String, of service: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        expect(answer, of: service, at: address, sourceLocation: sourceLocation)
        let check = try daemon.start(["status", "--check"] + (service.map { [$0] } ?? []))
        let status = try check.awaitEnd()
        #expect(check.output.text == text && check.errors.text == "", sourceLocation: sourceLocation)
        #expect(status == .exited(code: text == "ready\n" ? 0 : 1), sourceLocation: sourceLocation)
        guard service == nil else { return }
        let page = try WebAnswer("/readyz", at: try daemon.address("status"))
        #expect(
          page.body == text && page.status == (text == "ready\n" ? 200 : 503), "\(page)", sourceLocation: sourceLocation
        )
      }
      try agree("ready up 100%", "ready\n")
      try agree("ready up 100%", "ready\n", of: "echo")
      try agree("stopped # no service nine is configured", "no service nine is configured\n", of: "nine")

      let drain = try daemon.start("drain", "echo", "--wait")
      try agree("drain", "service echo has announced its drain\n", of: "echo")
      try agree("drain", "service echo has announced its drain\n")
      try agree("ready up 100%", "ready\n", of: "time")
      #expect(try drain.awaitEnd() == .exited(code: 0))
      // The order's answer is no earlier than any other's.
      #expect(try answer(of: "echo", at: address) == "drain")
      try agree("drain", "service echo is drained\n", of: "echo")
      try agree("drain", "service echo is drained\n")
      #expect(try daemon.begat("resume", "echo").status == .exited(code: 0))
      try agree("ready up 100%", "ready\n", of: "echo")
      try agree("ready up 100%", "ready\n")

      try daemon.program.send(.terminate)
      try agree("drain", "begatd has announced its stop\n")
      try agree("drain", "begatd has announced its stop\n", of: "echo")
    }
  }

  @Test func checksNeedABegatdOrAListener() throws {
    let directory = try TemporaryDirectory()
    let environment = ["RUNTIME_DIRECTORY=\(directory.path("run"))"]
    func check(_ words: String...) throws -> RunningProgram {
      try RunningProgram.run(try Programs.begat(), ["status", "--check"] + words, environment: environment)
    }
    let none = try check()
    #expect(none.status == .exited(code: 1) && none.output.text == "")
    #expect(none.errors.text.hasPrefix("begat status: no begatd answers at "), "\(none.errors.text)")
    for option in ["--json", "--prometheus", "--watch"] { #expect(try check(option).status == .exited(code: 64)) }
    // Listeners without begatd are shown by begat status too.
    let listener = try RunningProgram(
      try Programs.listener(), ["--serve", "time", "--listen-stream", "127.0.0.1:0"], environment: environment)
    try listener.errors.awaitLines(containing: "ready on ")
    #expect(try eventually { try check().output.text == "ready\n" })
    #expect(try check("time").status == .exited(code: 0))
    #expect(try check("echo").output.text == "no service echo is configured\n")
    try listener.send(.terminate)
    #expect(try listener.awaitEnd() == .exited(code: 0))
  }

  @Test func saysThatAServiceHasFailed() throws {
    try withDaemon(Self.agent() + Self.services) { daemon in
      let address = try daemon.address("agent")
      for service in ["time", nil] {
        // Each start that ends young makes the next one later.
        let isSaid = try eventually(within: .seconds(20)) {
          let listeners = ProcessFacts.children(of: daemon.process).filter { $0.title == "begat-listener: time" }
          for listener in listeners { try? Signal(rawValue: SIGSEGV).send(to: listener.process) }
          return try answer(of: service, at: address) == "stopped # service time has failed"
        }
        #expect(isSaid, "\(service ?? "all")")
      }
      #expect(try answer(of: "echo", at: address) == "ready up 100%")
    }
  }

  @Test func weighsFreePlaces() throws {
    let command = SampleConfiguration.service("command", "max-connections = 4")
    try withDaemon(Self.agent("weight = \"free\"") + Self.agent(name: "full") + command) { daemon in
      let address = try daemon.address("agent")
      var clients: [Client] = []
      for weight in [100, 75, 50, 25, 10] {
        expect("ready up \(weight)%", of: "command", at: address)
        expect("ready up \(weight)%", at: address)
        if weight > 10 { clients.append(try session(try daemon.address("command"))) }
      }
      expect("ready up 100%", of: "command", at: try daemon.address("full"))
      for client in clients { client.hangUp() }
      expect("ready up 100%", of: "command", at: address)
    }
  }

  // MARK: The end of others

  @Test func drainsOnlyByItsName() throws {
    try withDaemon(Self.agent() + Self.services) { daemon in
      let address = try daemon.address("agent")
      let drain = try daemon.begat("drain", "--all", "--wait")
      #expect(drain.status == .exited(code: 0) && drain.output.text == "2 services: drained\n")
      #expect(try answer(of: nil, at: address) == "drain")
      #expect(try answer(of: "time", at: address) == "drain")
      #expect(try answer(of: "agent", at: address) == "ready up 100%")
      #expect(try daemon.begat("resume", "--all").status == .exited(code: 0))
      #expect(try answer(of: nil, at: address) == "ready up 100%")
      #expect(try daemon.begat("drain", "agent", "--wait").status == .exited(code: 0))
      #expect(throws: SystemCallError.self) { try Client(address) }
      #expect(try daemon.begat("status", "--check").output.text == "service agent is drained\n")
      #expect(try daemon.begat("resume", "agent").status == .exited(code: 0))
      #expect(try answer(of: nil, at: address) == "ready up 100%")
    }
  }

  @Test func isStoppedLast() throws {
    let directory = try TemporaryDirectory()
    let text =
      Self.agent() + SampleConfiguration.service("command")
      + "[service.unix]\nserve = \"haproxy-agent\"\nlisten-stream = [\"\(directory.path("agent.sock"))\"]\n"
    let daemon = try Daemon(text, in: directory)
    let client = try session(try daemon.address("command"))
    try daemon.program.send(.terminate)
    #expect(eventually { (try? Client(try daemon.address("command"))) == nil })
    for address in [try daemon.address("agent"), try daemon.address("unix")] {
      for service in ["command", "unix", nil] { #expect(try answer(of: service, at: address) == "drain") }
    }
    try expectAlive(client)
    // None of these holds the end up: one that says nothing, one that has its answer and stays.
    let silent = try Client(try daemon.address("agent"))
    let staying = try Client(try daemon.address("agent"))
    try staying.send("command\nand more")
    #expect(try staying.receive(until: "\n") == "drain\n")
    let watch = Stopwatch()
    client.hangUp()
    try daemon.awaitEnd()
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    #expect(try silent.receiveText() == "drain\n")
    #expect(throws: SystemCallError.self) { try Client(try daemon.address("agent")) }
  }

  @Test func theSecondSignalEndsItToo() throws {
    try withDaemon(Self.agent() + SampleConfiguration.service("command")) { daemon in
      let client = try session(try daemon.address("command"))
      let silent = try Client(try daemon.address("agent"))
      try daemon.program.send(.terminate)
      expect("drain", at: try daemon.address("agent"))
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
      #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)) && silent.awaitEnd(within: .seconds(1)))
    }
  }

  /// Where listeners are left, begatd ends without them, and the next one finds the agent's address free.
  @Test func leavesItsAddressToTheNextBegatd() throws {
    let directory = try TemporaryDirectory()
    let addresses = try FreePorts.addresses(2)
    let text =
      Self.agent().replacing("127.0.0.1:0", with: addresses[0])
      + SampleConfiguration.service("command").replacing("127.0.0.1:0", with: addresses[1])
    let daemon = try Daemon(text, in: directory, options: ["--leave-listeners"])
    let client = try session(addresses[1])
    let silent = try (0..<8).map { _ in try Client(addresses[0]) }
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    let next = try Daemon(text, in: directory)
    #expect(try answer(of: "command", at: addresses[0]) == "ready up 100%")
    try expectAlive(client)
    client.hangUp()
    for client in silent { #expect(client.awaitEnd()) }
    try next.stop()
  }

  @Test func isStoppedWithoutOthers() throws {
    try withDaemon(Self.agent()) { daemon in
      #expect(try answer(of: nil, at: try daemon.address("agent")) == "ready up 100%")
      #expect(try daemon.begat("drain", "--all", "--wait").status == .exited(code: 0))
      let watch = Stopwatch()
      try daemon.stop()
      #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    }
  }

  // MARK: Reloads and upgrades

  @Test func followsReloads() throws {
    try withDaemon(Self.agent() + Self.services) { daemon in
      let address = try daemon.address("agent")
      let listener = try daemon.listener("agent")
      try daemon.reload(Self.agent() + SampleConfiguration.service("time"))
      expect("stopped # no service echo is configured", of: "echo", at: address)
      expect("ready up 100%", at: address)
      #expect(try daemon.listener("agent") == listener, "the reload was not about it")
      try daemon.reload(Self.agent("weight = \"free\"") + Self.services)
      expect("ready up 100%", of: "echo", at: address)
      #expect(eventually { daemon.generations("agent").last != listener })
      expect("ready up 100%", at: address)
      #expect(try daemon.begat("drain", "echo").status == .exited(code: 0))
      #expect(try answer(of: "echo", at: address) == "drain")
    }
  }

  /// A server that HAProxy believed to be down would lose its clients to others.
  @Test func saysReadyWhileListenersAreReplaced() throws {
    let installation = try Installation()
    let echo = SampleConfiguration.service("echo")
    let limits = "[defaults]\nmax-connections-per-source = 256\nlog = \"problems\"\n"
    let daemon = try installation.daemon(limits + Self.agent() + echo)
    let address = try daemon.address("agent")
    let clients = ContinuousClients(1, at: address, asking: "echo\n") { $0 == "ready up 100%\n" }
    for number in 1...3 {
      #expect(try installation.upgrade().status == .exited(code: 0))
      try daemon.reload(limits + Self.agent() + SampleConfiguration.service("echo", "max-connections = \(number)"))
    }
    try clients.await(more: 10)
    let report = try clients.stop()
    #expect(report.problems.isEmpty, "\(report.problems)")
    let control = installation.directory.path("run/control")
    #expect(try runBegat("drain", "--all", "--control", control).status == .exited(code: 0))
    #expect(try answer(of: nil, at: address) == "drain")
    try daemon.stop()
  }

  /// Clients wait in the backlog meanwhile, usually for some milliseconds.
  @Test func saysReadyBetweenTwoListeners() throws {
    try withDaemon(Self.agent() + Self.services) { daemon in
      let listener = try daemon.listener("echo")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      defer { try? Signal(rawValue: SIGCONT).send(to: listener) }
      try daemon.rewrite(
        Self.agent() + SampleConfiguration.service("time") + SampleConfiguration.service("echo", "rate = \"9/s\""))
      let reload = try daemon.start("reload")
      let isBetween = try eventually {
        let status = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
        let echo = (status["services"] as? [[String: Any]])?.first { $0["name"] as? String == "echo" }
        let listeners = echo?["listeners"] as? [[String: Any]] ?? []
        return listeners.contains { $0["role"] as? String == "retiring" }
      }
      #expect(isBetween)
      #expect(try daemon.state(of: "echo") == "serving")
      expect("ready up 100%", of: "echo", at: try daemon.address("agent"))
      try Signal(rawValue: SIGCONT).send(to: listener)
      #expect(try reload.awaitEnd() == .exited(code: 0))
    }
  }

  // MARK: Where it is offered

  @Test func isOfferedByBegatdOnly() throws {
    for words in [["--listen-stream", "127.0.0.1:0"], ["--stdio"]] {
      let listener = try RunningProgram.run(try Programs.listener(), ["--serve", "haproxy-agent"] + words)
      #expect(listener.status == .exited(code: 64))
      #expect(listener.errors.text.contains("haproxy-agent shows what begatd knows: only begatd can offer it"))
    }
  }
}
