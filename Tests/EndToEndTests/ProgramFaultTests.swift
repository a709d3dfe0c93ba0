import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs that are missing, stay for ever, run away or talk too much.
@Suite(.timeLimit(.minutes(30)))
struct ProgramFaultTests {
  // MARK: Missing

  @Test(arguments: ["exec = [\"%\"]", "serve = \"command\"\n[service.x.commands]\nrun = [\"%\", \"-x\"]"])
  func aMissingProgramIsAFaultOfTheConfiguration(key: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("#!/no/such/interpreter\n", to: "script", mode: 0o755)
    try directory.write("#!/bin/sh\n", to: "closed", mode: 0o644)
    try directory.make("folder")
    let faults = [
      ("missing", "No such file or directory"), ("script", "/no/such/interpreter"), ("closed", "may not execute it"),
      ("folder", "a directory"),
    ]
    for (name, complaint) in faults {
      let table = key.replacing("%", with: directory.path(name))
      let file = try directory.write(
        "[service.x]\nlisten-stream = [\"127.0.0.1:0\"]\n\(table)\n", to: "begatd.toml")
      let line = table.hasPrefix("exec") ? 3 : 5
      let runs = [
        try RunningProgram.run(try Programs.begatd(), ["--config", file]),
        try RunningProgram.run(try Programs.begatd(), ["--check", "--config", file]),
        try RunningProgram.run(try Programs.begat(), ["check", "--config", file]),
      ]
      for run in runs {
        #expect(run.status == .exited(code: 78), "\(name)")
        #expect(run.errors.lines.count == 1 && run.errors.text.contains("begatd.toml:\(line):"), "\(run.errors.text)")
        #expect(run.errors.text.contains(directory.path(name)) && run.errors.text.contains(complaint))
      }
    }
  }

  @Test(arguments: [false, true])
  func aProgramMayVanishAndComeBack(relayed: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      SampleConfiguration.program(
        "fleeting", [try directory.writeScript("echo here", to: "program")], "relay = \(relayed)",
        "max-connections = 2")
    }
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("fleeting")
      let (path, aside) = (daemon.directory.path("program"), daemon.directory.path("aside"))
      #expect(try ask(address) == Array("here\n".utf8))
      #expect(rename(path, aside) == 0)
      // More than may be there at once: each gives its place back.
      for _ in 0..<5 { #expect(try Client(address).receiveAll().isEmpty) }
      let line = try daemon.log.awaitLines(containing: "execve \(path): No such file or directory")[0]
      #expect(line.contains("begatd: fleeting: "), "\(line)")
      #expect(rename(aside, path) == 0)
      #expect(try ask(address) == Array("here\n".utf8))
      chmod(path, 0o644)
      #expect(try Client(address).receiveAll().isEmpty)
      chmod(path, 0o755)
      #expect(try ask(address) == Array("here\n".utf8))
    }
  }

  // MARK: Those that stay

  /// Programs that SIGTERM does not end, with children that it does not end either.
  private static let stubborn = [
    // They ignore it.
    "deaf": "trap '' TERM; sleep 300 & echo $$ $!; wait",
    // It would have to be awake to be ended.
    "asleep": "trap '' TERM; sleep 300 & echo $$ $!; kill -STOP $$",
    "father": "(trap '' TERM; sleep 300) & trap '' TERM; sleep 301 & echo $$ $!; wait",
  ]

  /// Each of them with the connection to itself and behind a relay.
  private static func stubborn(_ lines: String...) -> String {
    var text = ""
    for (name, script) in stubborn {
      for relay in ["false", "true"] {
        text += SampleConfiguration.script(
          "\(name)-\(relay)", script, "relay = \(relay)", lines.joined(separator: "\n"))
      }
    }
    return text
  }

  private static func clients(of daemon: Daemon) throws -> (clients: [Client], processes: [pid_t]) {
    let clients = try daemon.served.map { try Client($0.address) }
    let processes = try clients.flatMap { try processNumbers(try $0.receive(until: "\n")) }
    let families = processes.flatMap { ProcessFacts.descendants(of: $0).map(\.process) }
    return (clients, processes + families)
  }

  @Test func maxDurationEndsTheStubborn() throws {
    try withDaemon(Self.stubborn("max-duration = \"1s\"")) { daemon in
      let watch = Stopwatch()
      let (clients, processes) = try Self.clients(of: daemon)
      for client in clients {
        #expect(client.awaitEnd(within: .seconds(15)))
        #expect(watch.elapsed > .milliseconds(5500) && watch.elapsed < .milliseconds(8500), "\(watch.elapsed)")
        client.hangUp()
      }
      for name in Self.stubborn.keys {
        for relay in ["false", "true"] {
          let line = try daemon.log.awaitLines(containing: "begatd: \(name)-\(relay): pid ")[0]
          #expect(line.hasSuffix(", max-duration"), "\(line)")
        }
      }
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  @Test func aStopEndsTheStubborn() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + Self.stubborn()) { daemon in
      let (clients, processes) = try Self.clients(of: daemon)
      daemon.noteProcesses()
      try daemon.program.send(.terminate)
      let watch = Stopwatch()
      try daemon.awaitEnd(within: .seconds(20))
      #expect(watch.elapsed > .milliseconds(5500) && watch.elapsed < .milliseconds(8500), "\(watch.elapsed)")
      for client in clients { #expect(client.awaitEnd(within: .seconds(1))) }
      #expect(eventually { areGone(processes) }, "a process is left")
      #expect(daemon.log.lines(containing: "does not stop").isEmpty, "\(daemon.log.text)")
    }
  }

  @Test(arguments: [false, true])
  func maxDurationEndsTheObedientAtOnce(relayed: Bool) throws {
    let configuration = SampleConfiguration.script(
      "slow", "sleep 300 & echo $$ $!; wait", "max-duration = \"1s\"", "relay = \(relayed)")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("slow"))
      let watch = Stopwatch()
      let processes = try processNumbers(try client.receive(until: "\n"))
      #expect(client.awaitEnd(within: .seconds(15)))
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .milliseconds(3500), "\(watch.elapsed)")
      try daemon.log.awaitLines(containing: ", max-duration")
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  /// A group is ended to its last member, even if its leader went at the first word.
  @Test(arguments: [false, true])
  func nobodyOutlivesAnObedientParent(relayed: Bool) throws {
    let script = "(trap '' TERM; exec sleep 300) & echo $!; exec sleep 301"
    let configuration = SampleConfiguration.script(
      "group", script, "max-duration = \"1s\"", "relay = \(relayed)")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("group"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes { try? Signal.kill.send(to: process) } }
      #expect(eventually(within: .seconds(9)) { areGone(processes) }, "a process is left")
      #expect(client.awaitEnd(within: .seconds(1)))
      try daemon.log.awaitLines(containing: ", max-duration")
    }
  }

  @Test(arguments: [false, true])
  func aKilledListenerTakesItsProgramsWithIt(relayed: Bool) throws {
    let configuration = SampleConfiguration.script("tied", "echo $$; exec cat", "relay = \(relayed)")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("tied"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      try Signal.kill.send(to: try daemon.listener("tied"))
      #expect(client.awaitEnd(within: .seconds(3)))
      #expect(eventually { areGone(processes) }, "a process is left")
      // The next one serves.
      let next = try Client(try daemon.address("tied"))
      _ = try next.receive(until: "\n")
      try next.endSending()
      #expect(next.awaitEnd())
    }
  }

  // MARK: Those that leave

  @Test func aSlotIsFreeWhenTheProgramLeavesItsSocketToSomebodyElse() throws {
    let script = "setsid sh -c 'echo $$; exec sleep 300' & exit"
    try withDaemon(SampleConfiguration.script("away", script, "max-connections = 1")) { daemon in
      var left: [pid_t] = []
      defer { for process in left { try? Signal.kill.send(to: process) } }
      for _ in 0..<3 {
        let client = try Client(try daemon.address("away"))
        left += try processNumbers(try client.receive(until: "\n"))
        #expect(!client.hears(within: .milliseconds(100)), "its socket is still open")
      }
      try daemon.log.awaitLines(3, containing: ", complete")
    }
  }

  @Test func whatIsNotReadIsNobodysTrouble() throws {
    let configuration =
      SampleConfiguration.program("deaf", ["/bin/true"], "max-connections = 1")
      + SampleConfiguration.script("relayed", "echo bye", "max-connections = 1", "relay = true")
    try withDaemon(configuration) { daemon in
      let much = [UInt8](repeating: 120, count: 100_000)
      for _ in 0..<5 {
        let client = try Client(try daemon.address("deaf"))
        try? client.send(much)
        #expect(client.awaitEnd(within: .seconds(3)))
        // A relay sees to it that the answer arrives whole whatever was left unread.
        let polite = try Client(try daemon.address("relayed"))
        try? polite.send(much)
        #expect(try polite.receiveText() == "bye\n")
      }
      try daemon.log.awaitLines(5, containing: "deaf: pid ")
      try daemon.log.awaitLines(5, containing: "relayed: pid ")
    }
  }

  // MARK: Those that talk

  @Test(arguments: [false, true])
  func aGigabyteArrivesWhole(relayed: Bool) throws {
    let configuration = SampleConfiguration.program(
      "much", ["/usr/bin/head", "-c", "1G", "/dev/zero"], "relay = \(relayed)")
    try withDaemon(configuration) { daemon in
      let count = try RunningProgram.run(
        "/bin/sh", ["-c", "nc -d 127.0.0.1 \(try daemon.port("much")) | wc -c"], within: .seconds(60))
      #expect(count.output.text.trimmed == "1073741824")
      let line = try daemon.log.awaitLines(containing: "much: pid ")[0]
      #expect(line.hasSuffix(", complete"))
      #expect(line.contains("received 0, sent 1073741824 bytes") == relayed)
    }
  }
}
