import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat drain` and `begat resume`.
@Suite(.timeLimit(.minutes(30)))
struct DrainTests {
  private static let announcing = "[daemon]\nannounce-time = \"1s\"\n"

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var lines = ""
    var address = "127.0.0.1:0"
  }

  /// Services of which each client gets its line back.
  static let cases = [
    Case(testDescription: "built-in", lines: "serve = \"echo\""),
    Case(testDescription: "program", lines: "exec = [\"/bin/cat\"]"),
    Case(testDescription: "relay", lines: "exec = [\"/bin/cat\"]\nrelay = true"),
    Case(testDescription: "Unix socket", lines: "serve = \"echo\"", address: "/"),
  ]

  /// The announcement under load: what load balancers need.
  @Test(arguments: cases) func refusesNoClientBeforeTheAnnouncementIsOverAndServesNoneAfter(_ kind: Case) throws {
    try withDaemon({ directory in
      let address = kind.address == "/" ? directory.path("e.sock") : kind.address
      return Self.announcing
        + "[service.echo]\n\(kind.lines)\nlisten-stream = [\"\(address)\"]\nmax-connections-per-source = 256\n"
        // Lines of connections would crowd out the one that is awaited.
        + "log = \"problems\"\n"
    }) { daemon in
      let address = try daemon.address("echo")
      let held = try Client(address)
      try held.send("held\n")
      #expect(try held.receive(until: "\n") == "held\n")
      let clients = try EchoClients(16, at: address, staying: false)
      let start = SystemClock.monotonic()
      let drain = try daemon.start("drain", "--all", "--wait")
      try daemon.log.awaitLines(containing: "echo: drains: ")
      let report = try clients.stop()
      #expect(report.lost.isEmpty, "\(report.lost)")
      #expect(report.refused == 16 && report.served > 16)
      #expect(report.firstRefusal - start >= 1_000_000_000, "\(report.firstRefusal - start) ns")
      #expect(report.lastArrival < report.firstRefusal)
      // The held one goes on, and the drain is waited for.
      try held.send("again\n")
      #expect(try held.receive(until: "\n") == "again\n")
      #expect(!drain.hasEnded)
      try held.endSending()
      #expect(try held.receiveAll() == [])
      #expect(try drain.awaitEnd() == .exited(code: 0), "\(drain.errors.text)")
      #expect(drain.output.text == "echo: drained\n")
      #expect(throws: SystemCallError.self) { try Client(address) }
    }
  }

  @Test func saysSoInTheStatusAndToTheServiceManager() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      "[daemon]\nannounce-time = \"2s\"\n" + SampleConfiguration.service("echo") + SampleConfiguration.service("time"),
      in: directory, environment: [socket.variable])
    let client = try Client(try daemon.address("echo"))
    _ = try socket.take(until: "READY=1")
    let drain = try daemon.begat("drain", "echo")
    #expect(drain.output.text == "echo: accepts clients for 2s more, then drains; 1 connection open\n")
    #expect(try daemon.state(of: "echo") == "announcing")
    _ = try socket.take(until: "STATUS=serving 2 of 2 services on 2 addresses; soon drained: echo")
    _ = try socket.take(until: "STATUS=serving 1 of 2 services on 1 address; drained: echo")
    #expect(try daemon.state(of: "echo") == "draining")
    #expect(try daemon.begat("drain", "echo").output.text == "echo: draining; 1 connection open\n")
    try client.endSending()
    _ = try client.receiveAll()
    #expect(try eventually { try daemon.state(of: "echo") == "drained" })
    // An order that is obeyed already is no error.
    let again = try daemon.begat("drain", "echo", "--wait")
    #expect(again.status == .exited(code: 0) && again.output.text == "echo: drained\n")
    #expect(Expected.isTime(try ask(daemon.address("time"))))
    try daemon.stop()
  }

  @Test func waitsNoLongerThanItIsTold() throws {
    try withDaemon(SampleConfiguration.service("command") + SampleConfiguration.service("time")) { daemon in
      let client = try session(try daemon.address("command"))
      let watch = Stopwatch()
      let drain = try daemon.begat("drain", "--all", "--wait=300ms")
      #expect(drain.status == .exited(code: 1))
      #expect(watch.elapsed >= .milliseconds(300))
      #expect(drain.errors.text.contains("2 services: 1 connection is left"), "\(drain.errors.text)")
      #expect(drain.errors.text.contains("command: 1 connection\n"))
      try expectAlive(client)
    }
  }

  @Test func drainTimeoutEndsWhatIsLeft() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + SampleConfiguration.service("command")) { daemon in
      let client = try session(try daemon.address("command"))
      let watch = Stopwatch()
      let drain = try daemon.begat("drain", "command", "--wait")
      #expect(drain.status == .exited(code: 0))
      #expect(watch.elapsed > .milliseconds(900) && watch.elapsed < .seconds(4), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)))
    }
  }

  /// A stopped process cannot obey: it is killed after the grace period.
  @Test func aStoppedConnectionDoesNotHoldItUp() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"500ms\"\n" + SampleConfiguration.service("command")) { daemon in
      let client = try session(try daemon.address("command"))
      try Signal(rawValue: SIGSTOP).send(to: try daemon.awaitConnections(1, of: "command")[0])
      #expect(try daemon.begat("drain", "command", "--wait=8s").status == .exited(code: 0))
      #expect(client.awaitEnd(within: .seconds(1)))
    }
  }

  @Test func resumeServesAgainAtTheSameAddresses() throws {
    try withDaemon({ directory in
      """
      [service.time]
      serve = "time"
      listen-stream = ["127.0.0.1:0", "[::1]:0", "\(directory.path("t.sock"))", "@\(directory.path)/t"]
      listen-datagram = ["127.0.0.1:0", "\(directory.path("d.sock"))"]
      rate-per-source = "1000/s"

      """
    }) { daemon in
      let streams = daemon.served.filter { !$0.isDatagram }.map(\.address)
      let datagram = try daemon.address("time", "127.", datagram: true)
      for _ in 0..<5 {
        #expect(try daemon.begat("drain", "time", "--wait").status == .exited(code: 0))
        for address in streams { #expect(throws: SystemCallError.self) { try Client(address) } }
        #expect(!FileManager.default.fileExists(atPath: daemon.directory.path("t.sock")))
        let resume = try daemon.begat("resume", "time")
        #expect(resume.status == .exited(code: 0), "\(resume.errors.text)")
        #expect(resume.output.text == "time: serving again\n")
        for address in streams { #expect(Expected.isTime(try ask(address)), "\(address)") }
        #expect(Expected.isTime(try DatagramClient.ask(datagram)))
      }
      try daemon.awaitServing("time")
      // A service that serves already is no error.
      #expect(try daemon.begat("resume", "--all").status == .exited(code: 0))
      // A kept port stays the same over a reload as well.
      try daemon.reload()
      for address in streams { #expect(Expected.isTime(try ask(address)), "\(address)") }
    }
  }

  /// While former connections go on, and without waiting for the drain.
  @Test func resumeDoesNotWaitForConnections() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let address = try daemon.address("command")
      var clients: [Client] = []
      for _ in 0..<3 {
        clients.append(try session(address))
        let waiting = try daemon.start("drain", "command", "--wait")
        try daemon.log.awaitLines(clients.count, containing: "command: drains: ")
        #expect(try daemon.begat("resume", "command").status == .exited(code: 0))
        #expect(try waiting.awaitEnd() == .exited(code: 1))
        #expect(waiting.errors.text.contains("command was resumed before its last connection had ended"))
      }
      clients.append(try session(address))
      for client in clients { try expectAlive(client) }
      for client in clients { client.hangUp() }
    }
  }

  @Test func anAnnouncementCanBeCalledOff() throws {
    try withDaemon(Self.announcing + SampleConfiguration.service("time")) { daemon in
      let listener = try daemon.listener("time")
      _ = try daemon.begat("drain", "time")
      #expect(try daemon.begat("resume", "time").output.text == "time: serving again\n")
      try daemon.awaitServing("time")
      #expect(try daemon.listener("time") == listener)
    }
  }

  @Test func whatCannotBeBoundStaysDrained() throws {
    try withDaemon(SampleConfiguration.service("time") + SampleConfiguration.service("echo")) { daemon in
      #expect(try daemon.begat("drain", "--all", "--wait").status == .exited(code: 0))
      let address = try daemon.address("time")
      let other = try ListeningSocket(try #require(SocketAddress(address)), backlog: 1)
      let resume = try daemon.begat("resume", "--all")
      #expect(resume.status == .exited(code: 1))
      #expect(resume.output.text.hasPrefix("echo: serving again"))
      #expect(resume.errors.text.contains("bind \(address): Address already in use"), "\(resume.errors.text)")
      #expect(try daemon.state(of: "time") == "drained")
      #expect(try ask(daemon.address("echo"), "x") == [120])
      _ = consume other
      #expect(try daemon.begat("resume", "time").status == .exited(code: 0))
      #expect(Expected.isTime(try ask(address)))
    }
  }

  @Test func aDrainedServiceStaysSoOverReloads() throws {
    func configuration(_ number: Int) -> String {
      SampleConfiguration.service("time", "max-connections = \(10 + number)") + SampleConfiguration.service("echo")
    }
    try withDaemon(configuration(0)) { daemon in
      let address = try daemon.address("time")
      #expect(try daemon.begat("drain", "time", "--wait").status == .exited(code: 0))
      for number in 1...3 {
        #expect(try daemon.reload(configuration(number)).contains("reloaded in "))
        #expect(try daemon.state(of: "time") == "drained")
        #expect(throws: SystemCallError.self) { try Client(address) }
        #expect(try ask(daemon.address("echo"), "x") == [120])
      }
      #expect(daemon.generations("time").isEmpty)
      #expect(try daemon.begat("resume", "time").status == .exited(code: 0))
      #expect(Expected.isTime(try ask(address)))
      // The settings of the last configuration.
      let status = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let services = try #require(status["services"] as? [[String: Any]])
      #expect(services.first { $0["name"] as? String == "time" }?["limit"] as? Int == 13)
    }
  }

  /// The order holds until it is taken back, as a denial does, whatever configurations come and go.
  @Test func aDrainedServiceThatIsRemovedAndAddedStaysSo() throws {
    let echo = SampleConfiguration.service("echo")
    try withDaemon(SampleConfiguration.service("time") + echo) { daemon in
      #expect(try daemon.begat("drain", "time", "--wait").status == .exited(code: 0))
      #expect(try daemon.reload(echo).contains("removed time"))
      try daemon.rewrite(SampleConfiguration.service("time") + echo)
      for option in [["--dry-run"], []] {
        let reload = try daemon.start(["reload"] + option)
        #expect(try reload.awaitEnd() == .exited(code: 0))
        #expect(reload.errors.text.contains("is drained; begat resume time lets it serve"), "\(reload.errors.text)")
      }
      #expect(try daemon.state(of: "time") == "drained")
      #expect(try daemon.begat("resume", "time").output.text == "time: serving again\n")
      try daemon.awaitServing("time")
      // Taken back while it is not configured.
      #expect(try daemon.begat("drain", "time", "--wait").status == .exited(code: 0))
      try daemon.reload(echo)
      let resume = try daemon.begat("resume", "time")
      #expect(resume.status == .exited(code: 0))
      #expect(resume.output.text == "time: drained no more, and not configured at present\n")
      try daemon.reload(SampleConfiguration.service("time") + echo)
      try daemon.awaitServing("time")
    }
  }

  @Test func aDrainingListenerThatDiesIsNotReplaced() throws {
    try withDaemon(SampleConfiguration.service("command")) { daemon in
      let client = try session(try daemon.address("command"))
      let listener = try daemon.listener("command")
      _ = try daemon.begat("drain", "command")
      try Signal.kill.send(to: listener)
      #expect(client.awaitEnd(within: .seconds(2)))
      #expect(try daemon.begat("drain", "command", "--wait").status == .exited(code: 0))
      #expect(try daemon.state(of: "command") == "drained")
      #expect(daemon.generations("command").isEmpty)
    }
  }

  /// One that accepts clients until the announcement is over has a successor, as always.
  @Test func aListenerThatDiesWhileAnnouncingIsReplaced() throws {
    try withDaemon("[daemon]\nannounce-time = \"3s\"\n" + SampleConfiguration.service("time")) { daemon in
      let address = try daemon.address("time")
      _ = try daemon.begat("drain", "time")
      try Signal.kill.send(to: try daemon.listener("time"))
      #expect(Expected.isTime(try ask(address)))
      #expect(try daemon.state(of: "time") == "announcing")
      #expect(try daemon.begat("drain", "time", "--wait").status == .exited(code: 0))
    }
  }

  /// Those that are connected are served, whatever the listener was doing when the order came.
  @Test func clientsThatWaitAreServed() throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 256")) { daemon in
      let address = try daemon.address("time")
      let listener = try daemon.listener("time")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      let clients = try (0..<20).map { _ in try Client(address) }
      let drain = try daemon.start("drain", "time", "--wait")
      try daemon.log.awaitLines(containing: "time: drains: ")
      #expect(throws: SystemCallError.self) { try Client(address) }
      try Signal(rawValue: SIGCONT).send(to: listener)
      for client in clients { #expect(Expected.isTime(try client.receiveAll())) }
      #expect(try drain.awaitEnd() == .exited(code: 0))
    }
  }
}

extension Daemon {
  /// Starts a command that speaks to this begatd.
  func start(_ arguments: String...) throws -> RunningProgram { try start(arguments) }

  func start(_ arguments: [String]) throws -> RunningProgram {
    try RunningProgram(try Programs.begat(), arguments, environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
  }

  /// The state of a service, as `begat status` shows it.
  func state(of service: String) throws -> String? {
    let status = try json(try begat("status", "--json"), as: [String: Any].self)
    let services = status["services"] as? [[String: Any]]
    return services?.first { $0["name"] as? String == service }?["state"] as? String
  }

  /// Waits until a service serves: clients may connect before its listener has begun.
  func awaitServing(_ service: String) throws {
    guard try eventually(within: .seconds(15), { try state(of: service) == "serving" }) else {
      throw HarnessFailure("\(service) is \(try state(of: service) ?? "unknown")\n\(log.text)")
    }
  }
}
