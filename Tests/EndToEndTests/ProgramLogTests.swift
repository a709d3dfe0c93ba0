import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What the log tells of programs.
@Suite(.timeLimit(.minutes(30)))
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
      try daemon.log.awaitLines(containing: ": program: a word to the log")
      try daemon.log.awaitLines(containing: " ms, ")
      try daemon.stop()
      let lines = daemon.log.lines(containing: ": program: ")
      let words = lines.map { String($0[$0.firstRange(of: ": program: ")!.upperBound...]) }
      let wanted = [
        "a word to the log", "cr", "escape \\x1b[31m \\xff \\xe2\\x80\\xae end", "begatd: forged 127.0.0.1",
        "no end of line",
      ]
      #expect(words == wanted)
      // Each says which connection it belongs to, as the record of its end does.
      let record = try #require(daemon.log.lines(containing: " ms, ").first)
      let head = try #require(record.firstMatch(of: #/ begatd: (.*): \d+ ms, /#)).1
      #expect(head.hasPrefix("talker: pid ") && head.contains(" for 127.0.0.1:"), "\(head)")
      #expect(lines.allSatisfy { $0.contains(" begatd: \(head): program: ") }, "\(lines)")
    }
  }

  @Test(arguments: [false, true])
  func theBeginningOfAConnectionComesFirst(relayed: Bool) throws {
    let configuration = SampleConfiguration.script(
      "talker", "echo word >&2; read -r line; echo word >&2", "relay = \(relayed)\nlog = \"open\"")
    try withDaemon(configuration) { daemon in
      for _ in 0..<20 { _ = try ask(daemon.address("talker"), "go\n") }
      try daemon.stop()
      let lines = daemon.log.lines(containing: "talker: pid ")
      let processes = Set(lines.compactMap { $0.firstMatch(of: #/pid (\d+) /#)?.1 })
      #expect(processes.count == 20)
      for process in processes {
        let ends = lines.filter { $0.contains("pid \(process) ") }
          .map { $0.hasSuffix(": opened") ? "opened" : $0.hasSuffix(": program: word") ? "word" : "end" }
        #expect(ends == ["opened", "word", "word", "end"], "\(ends)")
      }
    }
  }

  @Test func longLinesAreCut() throws {
    let script = "head -c 5000 /dev/zero | tr '\\0' x >&2; echo >&2; echo next >&2"
    try withDaemon(SampleConfiguration.script("talker", script)) { daemon in
      _ = try ask(daemon.address("talker"))
      try daemon.log.awaitLines(containing: ": program: next")
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
        let lines = try daemon.log.awaitLines(containing: ": program: error of \(name)", within: .seconds(2))
        #expect(lines[0].hasSuffix("error of \(name)"), "\(lines)")
      }
    }
  }

  /// Two programs that write parts of their lines in turns.
  @Test(arguments: ["", "relay = true"])
  func linesOfTwoClientsAreNeverJoined(line: String) throws {
    let script = "echo ready; while read part; do printf '%s' \"$part\" >&2; echo done; done; echo >&2"
    try withDaemon(SampleConfiguration.script("talker", script, line)) { daemon in
      let clients = try (0..<2).map { _ in try Client(try daemon.address("talker")) }
      for client in clients { #expect(try client.receive(until: "\n") == "ready\n") }
      // Less than the time after which an unfinished line is logged lies between two parts.
      for part in ["a", "b", "c"] {
        for (index, client) in clients.enumerated() {
          try client.send("\(part)\(index)\n")
          #expect(try client.receive(until: "\n") == "done\n")
        }
      }
      for client in clients { try client.endSending() }
      for client in clients { _ = try client.receiveAll() }
      try daemon.log.awaitLines(2, containing: " ms, ")
      for (index, client) in clients.enumerated() {
        let peer = try client.address()
        let words = daemon.log.lines(containing: " for \(peer): program: ").map {
          String($0[$0.firstRange(of: ": program: ")!.upperBound...])
        }
        #expect(words.joined() == "a\(index)b\(index)c\(index)", "\(daemon.log.text)")
      }
    }
  }

  /// Descendants of a program may write after its connection has ended; their lines have the same head.
  @Test func descendantsOfAProgramKeepItsHead() throws {
    let script = "(sleep 0.5; echo late >&2) <&- >&- & echo $$"
    try withDaemon(SampleConfiguration.script("talker", script)) { daemon in
      let client = try Client(try daemon.address("talker"))
      let process = try client.receive(until: "\n").dropLast()
      _ = try client.receiveAll()
      try daemon.log.awaitLines(containing: " ms, ")
      let line = try daemon.log.awaitLines(containing: ": program: late")[0]
      #expect(line.contains("talker: pid \(process) for \(try client.address()): "), "\(line)")
    }
  }

  @Test func aPartOfALineIsInItAfterAMoment() throws {
    try withDaemon(SampleConfiguration.script("talker", "printf 'password? ' >&2; read line")) { daemon in
      let client = try Client(try daemon.address("talker"))
      try daemon.log.awaitLines(containing: ": program: password?", within: .seconds(2))
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
      try daemon.log.awaitLines(containing: " ms, ")
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
    try daemon.log.awaitLines(containing: ": program: said hello")
    try client.send("bye\n")
    #expect(try client.receiveAll().isEmpty)
    client.hangUp()
    try daemon.log.awaitLines(containing: ": program: end")
    try daemon.awaitEnd(expecting: .killed(by: .kill, dumpedCore: false))
    #expect(daemon.log.lines(containing: " ms, ").first?.hasSuffix(", complete") == true, "\(daemon.log.text)")
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
