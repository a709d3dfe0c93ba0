import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What the log tells of programs.
@Suite(.timeLimit(.minutes(10)))
struct ProgramLogTests {
  @Test(arguments: [false, true])
  func linesOfStandardErrorAreInIt(relayed: Bool) throws {
    let script = #"""
      echo 'a word to the log' >&2
      printf 'cr\r\n\nescape \033[31m \377 \342\200\256 end\n' >&2
      printf 'begatd: forged 127.0.0.1\n' >&2
      printf 'no end of line' >&2
      echo answered
      """#
    try withDaemon(SampleConfiguration.script("talker", script, "relay = \(relayed)")) { daemon in
      #expect(try ask(daemon.address("talker")) == Array("answered\n".utf8))
      try daemon.log.awaitLines(containing: "talker: program: a word to the log")
      try daemon.log.awaitLines(containing: "talker: pid ")
      try daemon.stop()
      let said = daemon.log.lines(containing: "program: ").map { $0.split(separator: " begatd: ", maxSplits: 1)[1] }
      let wanted = [
        "talker: program: a word to the log", "talker: program: cr",
        "talker: program: escape \\x1b[31m \\xff \\xe2\\x80\\xae end", "talker: program: begatd: forged 127.0.0.1",
        "talker: program: no end of line",
      ]
      #expect(said.map(String.init) == wanted)
    }
  }

  @Test func longLinesAreCut() throws {
    let script = "head -c 5000 /dev/zero | tr '\\0' x >&2; echo >&2; echo next >&2"
    try withDaemon(SampleConfiguration.script("talker", script)) { daemon in
      _ = try ask(daemon.address("talker"))
      try daemon.log.awaitLines(containing: "talker: program: next")
      let long = daemon.log.lines(containing: "xxx")
      #expect(long.count == 1 && long[0].hasSuffix(" " + String(repeating: "x", count: 1000)), "\(long)")
    }
  }

  /// Neither kept back until another client's program says something, nor joined to that.
  @Test(arguments: ["", "relay = true"])
  func lastWordsWithoutAnEndAreInItSoon(line: String) throws {
    try withDaemon(SampleConfiguration.script("talker", "read who; printf \"error of $who\" >&2", line)) { daemon in
      for name in ["alice", "bob"] {
        _ = try ask(daemon.address("talker"), name + "\n")
        let lines = try daemon.log.awaitLines(containing: "talker: program: error of \(name)", within: .seconds(2))
        #expect(lines[0].hasSuffix("error of \(name)"), "\(lines)")
      }
    }
  }

  @Test func aPartOfALineIsInItAfterAMoment() throws {
    try withDaemon(SampleConfiguration.script("talker", "printf 'password? ' >&2; read line")) { daemon in
      let client = try Client(try daemon.address("talker"))
      try daemon.log.awaitLines(containing: "talker: program: password?", within: .seconds(2))
      try client.endSending()
      _ = try client.receiveAll()
    }
  }

  @Test func oneThatWritesWithoutEndDoesNotKeepTheListenerBusy() throws {
    let configuration = SampleConfiguration.script("talker", "echo begun; exec yes >&2")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address("talker"))
      #expect(try client.receive(until: "\n") == "begun\n")
      let listener = try daemon.listener("talker")
      let ticks = try #require(ProcessFacts(listener)?.processorTicks)
      #expect(!client.hears(within: .seconds(2)))
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(Double(used) / Double(sysconf(CInt(_SC_CLK_TCK))) <= 0.5, "\(used) ticks")
      for process in try daemon.connections("talker") { try Signal.kill.send(to: process.process) }
    }
  }

  @Test func aTalkativeProgramDoesNotFillIt() throws {
    let script = "seq 100000 >&2; echo done"
    try withDaemon(SampleConfiguration.script("talker", script)) { daemon in
      #expect(try ask(daemon.address("talker")) == Array("done\n".utf8))
      try daemon.log.awaitLines(containing: "talker: pid ")
      try daemon.stop()
      // Those that begatd does not read in time are lost, rather than that its listener waits.
      #expect((100...1200).contains(daemon.log.lines(containing: "program: ").count))
      #expect(!daemon.log.lines(containing: "lines of programs are left out").isEmpty)
    }
  }

  /// Its listener drains, and reads what it says.
  @Test(arguments: [false, true])
  func aProgramSurvivesBegatd(relayed: Bool) throws {
    let directory = try TemporaryDirectory()
    let script = "echo begun; read line; echo \"said $line\" >&2; echo more >&2; echo alive; read line; echo end >&2"
    let daemon = try Daemon(SampleConfiguration.script("talker", script, "relay = \(relayed)"), in: directory)
    let client = try Client(try daemon.address("talker"))
    #expect(try client.receive(until: "\n") == "begun\n")
    daemon.noteProcesses()
    try daemon.program.send(.kill)
    try daemon.log.awaitLines(containing: "the supervisor is gone")
    try client.send("hello\n")
    #expect(try client.receive(until: "\n") == "alive\n")
    try daemon.log.awaitLines(containing: "talker: program: said hello")
    try client.send("bye\n")
    #expect(try client.receiveAll().isEmpty)
    client.hangUp()
    try daemon.log.awaitLines(containing: "talker: program: end")
    try daemon.awaitEnd(expecting: .killed(by: .kill, dumpedCore: false))
    #expect(daemon.log.lines(containing: "talker: pid ").first?.hasSuffix(", complete") == true, "\(daemon.log.text)")
  }

  @Test(arguments: [
    ("exit 0", "complete", "complete"), ("exit 7", "exit status 7", "exit status 7"),
    ("exit 3", "exit status 3", "exit status 3"), ("exit 255", "exit status 255", "exit status 255"),
    ("kill -SEGV $$", "crashed, SIGSEGV", "exit status 139"), ("kill -TERM $$", "ended by SIGTERM", "exit status 143"),
    ("kill -KILL $$", "ended by SIGKILL", "exit status 137"), ("kill -ALRM $$", "crashed, SIGALRM", "exit status 142"),
  ])
  func recordsTellHowProgramsEnd(script: String, direct: String, relayed: String) throws {
    let configuration =
      SampleConfiguration.script("direct", "ulimit -c 0; echo so; " + script)
      + SampleConfiguration.script("relayed", "ulimit -c 0; echo so; " + script, "relay = true")
    try withDaemon(configuration) { daemon in
      for (service, outcome) in [("direct", direct), ("relayed", relayed)] {
        let client = try Client(try daemon.address(service))
        #expect(try client.receiveText() == "so\n")
        client.hangUp()
        let line = try daemon.log.awaitLines(containing: "\(service): pid ")[0]
        #expect(line.hasSuffix(", \(outcome)"), "\(line)")
        #expect(line.contains(", sent 3 bytes") == (service == "relayed"), "\(line)")
      }
    }
  }

  @Test(arguments: [("connections", 2), ("problems", 1), ("none", 0)])
  func asManyRecordsAreWrittenAsConfigured(log: String, lines: Int) throws {
    try withDaemon(SampleConfiguration.script("last", "read code; exit $code", "log = \"\(log)\"")) { daemon in
      for code in ["0", "9"] { _ = try ask(daemon.address("last"), code + "\n") }
      _ = try daemon.awaitConnections(0, of: "last")
      try daemon.stop()
      #expect(daemon.log.lines(containing: "last: pid ").count == lines)
    }
  }
}
