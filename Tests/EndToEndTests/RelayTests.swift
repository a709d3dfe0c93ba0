import Testing
@_spi(Begat) import UnixCore

/// The process between a client and its program: every byte, every end.
@Suite(.timeLimit(.minutes(30)))
struct RelayTests {
  private static func relayed(_ script: String, _ lines: String...) -> String {
    SampleConfiguration.script("relayed", script, "relay = true", lines.joined(separator: "\n"))
  }

  @Test func aClientThatHasEndedSendingGetsItsAnswer() throws {
    try withDaemon(Self.relayed("sort")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      try client.send("b\nc\na\n")
      #expect(!client.hears(within: .milliseconds(100)))
      try client.endSending()
      #expect(try client.receiveText() == "a\nb\nc\n")
      client.hangUp()
      let line = try daemon.log.awaitLines(containing: "relayed: pid ")[0]
      #expect(line.hasSuffix(", received 6, sent 6 bytes, complete"), "\(line)")
    }
  }

  @Test func aProgramThatHasEndedSendingGetsTheRest() throws {
    let script = """
      import socket, sys
      connection = socket.socket(fileno=0)
      connection.sendall(b"that is all\\n")
      connection.shutdown(socket.SHUT_WR)
      count = 0
      while more := connection.recv(65536): count += len(more)
      print("read", count, file=sys.stderr)
      """
    try withDaemon(try SampleConfiguration.python("relayed", script, "relay = true")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      #expect(try client.receiveText() == "that is all\n")
      try client.send([UInt8](repeating: 120, count: 10_000))
      try client.send("more")
      try client.endSending()
      try daemon.log.awaitLines(containing: ": program: read 10004")
      client.hangUp()
      let line = try daemon.log.awaitLines(containing: " ms, ")[0]
      #expect(line.hasSuffix(", received 10004, sent 12 bytes, complete"), "\(line)")
    }
  }

  @Test func everyByteIsCounted() throws {
    try withDaemon(Self.relayed("head -c 777 >/dev/null; head -c 100001 /dev/zero")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let peer = try client.address()
      try client.send([UInt8](repeating: 10, count: 777))
      #expect(try client.receiveAll().count == 100_001)
      client.hangUp()
      let line = try daemon.log.awaitLines(containing: "for \(peer): ")[0]
      #expect(line.hasSuffix(", received 777, sent 100001 bytes, complete"), "\(line)")
    }
  }

  @Test func muchGoesBothWaysByteForByte() throws {
    try withDaemon(Self.relayed("exec cat", "idle-timeout = \"10s\"")) { daemon in
      let file = daemon.directory.path("random")
      _ = try RunningProgram.tool("sh", ["-c", "head -c 64M /dev/urandom > '\(file)'"])
      let compare = try RunningProgram.run(
        "/bin/sh", ["-c", "nc -N 127.0.0.1 \(try daemon.port("relayed")) < '\(file)' | cmp - '\(file)'"],
        within: .seconds(60))
      #expect(compare.status == .exited(code: 0), "\(compare.output.text)\(compare.errors.text)")
      try daemon.log.awaitLines(containing: "received 67108864, sent 67108864 bytes, complete")
    }
  }

  @Test func manyAtOnceKeepTheirBytesApart() throws {
    try withDaemon(Self.relayed("exec cat")) { daemon in
      let clients = try (0..<20).map { _ in try Client(try daemon.address("relayed")) }
      for round in 0..<20 {
        for (number, client) in clients.enumerated() { try client.send("\(number) in \(round)\n") }
        for (number, client) in clients.enumerated() {
          #expect(try client.receive(until: "\n") == "\(number) in \(round)\n")
        }
      }
      for client in clients { try client.endSending() }
      for client in clients { #expect(try client.receiveAll().isEmpty) }
      try daemon.log.awaitLines(20, containing: ", complete")
    }
  }

  @Test func aClientThatResetsEndsItsProgram() throws {
    try withDaemon(Self.relayed("echo $$; exec cat")) { daemon in
      let script = """
        import socket, struct, sys
        client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        print(client.recv(100).decode())
        client.sendall(b"x" * 100_000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        """
      let processes = try processNumbers(try python(script, [try daemon.port("relayed")]).output.text)
      try daemon.log.awaitLines(containing: "relayed: pid ")
      #expect(eventually { areGone(processes) }, "the program is left")
    }
  }

  @Test func aProgramThatDiesEndsItsConnection() throws {
    try withDaemon(Self.relayed("ulimit -c 0; echo $$; exec cat")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let process = try processNumbers(try client.receive(until: "\n"))[0]
      try Signal.kill.send(to: process)
      #expect(try client.receiveAll(within: .seconds(3)).isEmpty)
      client.hangUp()
      let line = try daemon.log.awaitLines(containing: "relayed: pid ")[0]
      #expect(line.hasSuffix(", exit status 137"), "\(line)")
    }
  }

  @Test func aKilledRelayTakesItsProgramWithIt() throws {
    try withDaemon(Self.relayed("echo $$; exec cat")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      try Signal.kill.send(to: try daemon.awaitConnections(1, of: "relayed")[0])
      #expect(client.awaitEnd(within: .seconds(3)))
      #expect(eventually { areGone(processes) }, "the program is left")
      try daemon.log.awaitLines(containing: "ended by SIGKILL")
    }
  }

  /// Whoever tells the relay to end, means its program.
  @Test func aRelayThatIsToldToEndEndsItsProgram() throws {
    let script = "trap 'echo going; exit 0' TERM; echo $$; while :; do sleep 0.05; done"
    try withDaemon(Self.relayed(script)) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      let watch = Stopwatch()
      try Signal.terminate.send(to: try daemon.awaitConnections(1, of: "relayed")[0])
      #expect(try client.receiveText() == "going\n")
      // The client stays open: nobody waits for it.
      let line = try daemon.log.awaitLines(containing: " ms, ")[0]
      #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
      #expect(line.hasSuffix("bytes, ended by SIGTERM"), "\(line)")
      #expect(eventually { areGone(processes) }, "the program is left")
    }
  }

  @Test func aDeafProgramIsKilledAfterAWhile() throws {
    let script = "trap '' TERM; sleep 300 & echo $$ $!; wait"
    try withDaemon(Self.relayed(script)) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      let watch = Stopwatch()
      try Signal.terminate.send(to: try daemon.awaitConnections(1, of: "relayed")[0])
      try daemon.log.awaitLines(containing: "relayed: pid ")
      #expect(watch.elapsed > .milliseconds(4500) && watch.elapsed < .seconds(7), "\(watch.elapsed)")
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  @Test func aSecondStopEndsRelaysAtOnce() throws {
    try withDaemon(Self.relayed("echo $$; exec cat")) { daemon in
      let client = try Client(try daemon.address("relayed"))
      let processes = try processNumbers(try client.receive(until: "\n"))
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "1 connection may go on")
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(3))
      #expect(watch.elapsed < .milliseconds(1500), "\(watch.elapsed)")
      #expect(client.awaitEnd())
      #expect(eventually { areGone(processes) }, "the program is left")
      #expect(daemon.log.lines(containing: "bytes, ended by SIGTERM at the stop").count == 1, "\(daemon.log.text)")
    }
  }
}
