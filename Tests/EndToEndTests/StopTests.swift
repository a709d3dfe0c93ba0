import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The orderly stop.
@Suite(.timeLimit(.minutes(30)))
struct StopTests {
  private static let configuration = SampleConfiguration.service("command") + SampleConfiguration.service("daytime")

  @Test func anOpenSessionMayGoOn() throws {
    try withDaemon(Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "1 connection may go on for 30s")
      try expectAlive(client)
      #expect(throws: SystemCallError.self) { try Client(try daemon.address("daytime")) }
      #expect(throws: SystemCallError.self) { try Client(try daemon.address("command")) }
      #expect(!daemon.program.hasEnded)
      try client.send("quit\n")
      #expect(client.awaitEnd())
      client.hangUp()
      try daemon.awaitEnd(within: .seconds(3))
    }
  }

  @Test func aSecondSignalEndsItAtOnce() throws {
    try withDaemon(Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "1 connection may go on for 30s")
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(3))
      #expect(client.awaitEnd(within: .seconds(1)))
      #expect(daemon.log.lines(containing: "ended by SIGTERM").count == 1)
    }
  }

  @Test func theDrainTimeoutEndsIt() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      try daemon.program.send(.terminate)
      let watch = Stopwatch()
      try daemon.awaitEnd(within: .seconds(4))
      #expect(watch.elapsed > .milliseconds(900))
      #expect(client.awaitEnd(within: .seconds(1)))
    }
  }

  @Test func aStoppedConnectionDoesNotHoldItUp() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      try Signal(rawValue: SIGSTOP).send(to: try daemon.awaitConnections(1, of: "command")[0])
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(5))
      #expect(client.awaitEnd(within: .seconds(1)))
      #expect(daemon.log.lines(containing: "ended by SIGKILL").count == 1)
    }
  }

  @Test func interruptStopsToo() throws {
    try withDaemon(Self.configuration) { daemon in
      try daemon.program.send(.interrupt)
      try daemon.awaitEnd()
    }
  }

  @Test func hangUpEndsNothing() throws {
    try withDaemon(Self.configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let listeners = try [daemon.listener("command"), daemon.listener("daytime")]
      try daemon.program.send(.hangUp)
      for listener in listeners { try Signal.hangUp.send(to: listener) }
      try daemon.log.awaitLines(containing: "nothing has changed")
      try expectAlive(client)
      #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
      #expect(try [daemon.listener("command"), daemon.listener("daytime")] == listeners)
    }
  }

  @Test func aStoppedListenerDoesNotHoldItUpForEver() throws {
    try withDaemon("[daemon]\ndrain-timeout = \"1s\"\n" + Self.configuration) { daemon in
      let listener = try daemon.listener("command")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(15))
      #expect(daemon.log.lines(containing: "command: listener \(listener) does not stop; killed").count == 1)
    }
  }

  @Test func aSignalDuringTheStartLeavesNothingBehind() throws {
    let directory = try TemporaryDirectory()
    try directory.make("held")
    // A process that binds a socket's path locks it: begatd waits there for a moment, its first socket made.
    let lock = try Descriptor.open(directory.path("held/.second.sock.lock"), [.readWrite, .create])
    flock(lock.number, LOCK_EX)
    let addresses = "[\"\(directory.path("first.sock"))\", \"\(directory.path("held/second.sock"))\"]"
    let file = try directory.write(
      "[service.echo]\nserve = \"echo\"\nlisten-stream = \(addresses)\n", to: "begatd.toml")
    let begatd = try RunningProgram(try Programs.begatd(), ["--config", file])
    #expect(eventually { directory.exists("first.sock") })
    try begatd.send(.terminate)
    flock(lock.number, LOCK_UN)
    #expect(try begatd.awaitEnd() == .exited(code: 0), "\(begatd.errors.text)")
    #expect(begatd.errors.awaitEnd(within: .seconds(2)), "a process is left")
    #expect(!directory.exists("first.sock") && !directory.exists("held/second.sock"))
  }

  @Test func aSecondSignalEndsAStoppedListenerAndAPatientRelayToo() throws {
    try withDaemon({ directory in
      let deaf = try directory.write(
        "#!/bin/sh\ntrap '' TERM HUP\nwhile :; do sleep 1; done\n", to: "deaf", mode: 0o755)
      return Self.configuration + """
        [service.relayed]
        exec = ["\(deaf)"]
        relay = true
        listen-stream = ["127.0.0.1:0"]

        """
    }) { daemon in
      let client = try Client(try daemon.address("relayed"))
      _ = try daemon.awaitConnections(1, of: "relayed")
      try Signal(rawValue: SIGSTOP).send(to: try daemon.listener("command"))
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "may go on for 30s")
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
      #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
      #expect(client.awaitEnd(within: .seconds(1)))
    }
  }
}
