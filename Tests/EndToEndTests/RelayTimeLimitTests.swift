import Testing
@_spi(Begat) import UnixCore

/// How long a relay waits, and for whom.
@Suite(.timeLimit(.minutes(30)))
struct RelayTimeLimitTests {
  private static func relayed(_ name: String, _ script: String, _ lines: String...) -> String {
    SampleConfiguration.script(name, script, "relay = true", lines.joined(separator: "\n"))
  }

  @Test func aSilentClientEndsAtTheFirstByteTimeout() throws {
    try withDaemon(Self.relayed("relayed", "echo $$; exec cat", "first-byte-timeout = \"1s\"")) { daemon in
      let address = try daemon.address("relayed")
      let watch = Stopwatch()
      let (silent, talkative) = (try Client(address), try Client(address))
      let processes = try processNumbers(try silent.receive(until: "\n"))
      _ = try talkative.receive(until: "\n")
      try talkative.send("early\n")
      #expect(silent.awaitEnd(within: .seconds(4)))
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .seconds(2), "\(watch.elapsed)")
      try expectLimit("first-byte-timeout", of: silent, in: daemon)
      #expect(eventually { areGone(processes) }, "the program is left")
      #expect(try talkative.receive(until: "\n") == "early\n")
      try talkative.send("late\n")
      #expect(try talkative.receive(until: "\n") == "late\n")
    }
  }

  @Test func anIdleClientEnds() throws {
    try withDaemon(Self.relayed("relayed", "echo $$; exec cat", "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      let watch = Stopwatch()
      #expect(client.awaitEnd(within: .seconds(4)))
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .seconds(2), "\(watch.elapsed)")
      try expectLimit("idle-timeout", of: client, in: daemon)
      #expect(eventually { areGone(processes) }, "the program is left")
    }
  }

  /// A byte now and then is no line, even if each comes back.
  @Test(arguments: ["exec cat", "exec wc -l"])
  func aDrippingClientEnds(script: String) throws {
    try withDaemon(Self.relayed("relayed", script, "idle-timeout = \"2s\"")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let echoes = script.hasSuffix("cat")
      let watch = Stopwatch()
      var isOver = false
      while !isOver, watch.elapsed < .seconds(8) {
        do {
          try client.send("x")
          if echoes { _ = try client.receive(count: 1) }
        } catch { break }
        isOver = client.hears(within: .milliseconds(200))
      }
      #expect(watch.elapsed > .milliseconds(1800) && watch.elapsed < .seconds(3), "\(watch.elapsed)")
      try expectLimit("idle-timeout", of: client, in: daemon)
    }
  }

  @Test func aClientThatSendsLinesLivesOn() throws {
    try withDaemon(Self.relayed("relayed", "exec cat", "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      for number in 0..<8 {
        #expect(!client.hears(within: .milliseconds(400)))
        try client.send("\(number)\n")
        #expect(try client.receive(until: "\n") == "\(number)\n")
      }
      try client.endSending()
      #expect(try client.receiveAll().isEmpty)
    }
  }

  @Test func aProgramThatTalksKeepsItsClient() throws {
    // perl's four-argument select waits a part of a second.
    let script = "exec perl -e '$| = 1; for (1..8) { print \"$_\\n\"; select undef, undef, undef, 0.4 }'"
    try withDaemon(Self.relayed("relayed", script, "idle-timeout = \"1s\"")) { daemon in
      let text = String(decoding: try ask(daemon.address("relayed")), as: UTF8.self)
      #expect(text == (1...8).map { "\($0)\n" }.joined())
    }
  }

  @Test func aClientThatReadsNothingEnds() throws {
    try withDaemon(Self.relayed("relayed", "echo $$; exec head -c 1G /dev/zero", "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(
        String(decoding: try client.receive { $0.contains(10) }.prefix { $0 != 10 }, as: UTF8.self))
      let line = try daemon.log.awaitLines(containing: "relayed: pid ", within: .seconds(8))[0]
      #expect(line.hasSuffix(" bytes, idle-timeout"), "\(line)")
      #expect(eventually { areGone(processes) }, "the program is left")
      client.hangUp()
    }
  }

  @Test func aSlowReaderGetsEverything() throws {
    let script = """
      import select, socket, sys
      client = socket.socket()
      client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
      client.connect(("127.0.0.1", int(sys.argv[1])))
      count = 0
      while more := client.recv(400_000):
          count += len(more)
          select.select([], [], [], 0.01)
      print(count)
      """
    try withDaemon(Self.relayed("relayed", "exec head -c 20000000 /dev/zero", "idle-timeout = \"1s\"")) { daemon in
      #expect(try python(script, [try daemon.port("relayed")]).output.text == "20000000\n")
      try daemon.log.awaitLines(containing: "received 0, sent 20000000 bytes, complete")
    }
  }

  @Test func aStubbornProgramEndsAfterTheLimit() throws {
    let script = "trap '' TERM; sleep 300 & echo $$ $!; wait"
    try withDaemon(Self.relayed("relayed", script, "idle-timeout = \"1s\"", "max-connections = 1")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      #expect(client.awaitEnd(within: .seconds(3)), "the client need not wait for it")
      let line = try daemon.log.awaitLines(containing: "relayed: pid ", within: .seconds(10))[0]
      #expect(line.hasSuffix(", idle-timeout"), "\(line)")
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  /// It holds its client's place, though it will never say anything to it any more.
  @Test func aProgramThatHasClosedItsStreamsEndsAtTheIdleTimeout() throws {
    let script = "echo $$; exec <&- >&-; exec sleep 300"
    try withDaemon(Self.relayed("relayed", script, "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let watch = Stopwatch()
      let processes = try processNumbers(try client.receiveText())
      client.hangUp()
      try expectLimit("idle-timeout", of: client, in: daemon)
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .seconds(3), "\(watch.elapsed)")
      #expect(eventually { areGone(processes) }, "the program is left")
    }
  }

  private func expectLimit(
    _ limit: String, of client: Client, in daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let line = try daemon.log.awaitLines(containing: "for \(try client.address()): ")[0]
    #expect(line.hasSuffix(" bytes, \(limit)"), "\(line)", sourceLocation: sourceLocation)
  }
}
