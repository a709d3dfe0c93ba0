import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What begatd writes down.
@Suite(.timeLimit(.minutes(30)))
struct LogTests {
  @Test func everyConnectionLeavesOneLine() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let client = try Client(try daemon.address("echo"))
      let peer = try client.address()
      try client.send("five!")
      #expect(try client.receive(count: 5) == Array("five!".utf8))
      client.hangUp()
      let line = try daemon.log.awaitLines(containing: "for \(peer): ")[0]
      let form =
        /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+00:00 begatd: echo: pid \d+ for 127\.0\.0\.1:\d+: \d+ ms, received 5, sent 5 bytes, complete/
      #expect(line.wholeMatch(of: form) != nil, "\(line)")

      _ = try ask(daemon.address("daytime", "["))
      let overIPv6 = try daemon.log.awaitLines(containing: "begatd: daytime: pid ")[0]
      #expect(overIPv6.contains(/for \[::1\]:\d+: \d+ ms, received 0, sent 26 bytes, complete$/))
      _ = try ask(daemon.address("time", "/"))
      let overUnix = try daemon.log.awaitLines(containing: "begatd: time: pid ")[0]
      #expect(overUnix.contains(/for uid \d+ at \/.*time.sock: \d+ ms, received 0, sent 4 bytes, complete$/))
      #expect(daemon.linesAfterStart.count == 3)
    }
  }

  @Test func aClientThatVanishesIsNoProblem() throws {
    try withDaemon(SampleConfiguration.service("chargen")) { daemon in
      let client = try Client(try daemon.address("chargen"))
      _ = try client.receive(count: 1000)
      client.hangUp()
      try daemon.log.awaitLines(containing: "bytes, client closed")
    }
  }

  @Test func bytesOfClientsAreNeverInIt() throws {
    try withDaemon(SampleConfiguration.service("command") + SampleConfiguration.service("hello")) { daemon in
      for service in ["command", "hello"] {
        let client = try Client(try daemon.address(service))
        try client.send(
          [0x1b, 0x5b, 0x33, 0x31, 0x6d, 0, 0xff, 0xc2, 0x9b, 0xe2, 0x80, 0xae, 10] + Array("forged\n".utf8))
        try client.endSending()
        _ = try client.receiveAll()
        client.hangUp()
        try daemon.log.awaitLines(containing: "\(service): pid ")
      }
      #expect(daemon.linesAfterStart.count == 2)
      // That all is printable ASCII is asserted at the end of every test.
      #expect(!daemon.log.text.contains("forged"))
    }
  }

  @Test(arguments: [("connections", 2), ("open", 4), ("problems", 1), ("none", 0)])
  func asMuchIsWrittenAsConfigured(log: String, lines: Int) throws {
    try withDaemon(SampleConfiguration.service("command", "log = \"\(log)\"")) { daemon in
      let unlucky = try session(try daemon.address("command"))
      try Signal.kill.send(to: try daemon.awaitConnections(1, of: "command")[0])
      #expect(unlucky.awaitEnd())
      #expect(try ask(daemon.address("command"), "quit\n").count > 0)
      try daemon.stop()
      #expect(daemon.log.lines(containing: "command: pid ").count == lines)
    }
  }

  @Test func theLevelHoldsFurtherOnesBack() throws {
    let daemonTable = "[daemon]\nlog-level = \"warning\"\nlog-target = \"stderr\"\n"
    try withDaemon(daemonTable + SampleConfiguration.service("command")) { daemon in
      #expect(try ask(daemon.address("command"), "quit\n").count > 0)
      let unlucky = try session(try daemon.address("command"))
      try Signal.kill.send(to: try daemon.awaitConnections(1, of: "command")[0])
      #expect(unlucky.awaitEnd())
      try daemon.stop()
      #expect(daemon.log.lines.count == 1 && daemon.log.lines[0].hasSuffix("ended by SIGKILL"))
    }
  }

  @Test("shows as much of clients' addresses as is configured", arguments: ["full", "prefix", "none"])
  func showsAsMuchOfAddresses(form: String) throws {
    let keys = "log = \"open\"\nlog-address = \"\(form)\"\ndeny = [\"127.0.0.2\"]"
    try withDaemon(SampleConfiguration.service("command", keys)) { daemon in
      let client = try session(try daemon.address("command"))
      let peer = try client.address()
      let process = try daemon.awaitConnections(1, of: "command")[0]
      let shown = ["full": peer, "prefix": "127.0.0.0/24", "none": "-"][form]!
      try daemon.log.awaitLines(containing: "command: pid \(process) for \(shown): opened")
      let title = try #require(ProcessFacts(process)?.title)
      #expect(title == "begat-listener: command \(shown)")
      _ = try? ask(daemon.address("command"), from: "127.0.0.2")
      let subject = ["full": "127.0.0.2", "prefix": "127.0.0.0/24", "none": "a client"][form]!
      try daemon.log.awaitLines(containing: "command: \(subject) is not allowed: clients are refused")
      client.hangUp()
      try daemon.log.awaitLines(containing: "command: pid \(process) for \(shown): ")
      try daemon.stop()
      if form != "full" { #expect(!daemon.log.text.contains(peer) && !daemon.log.text.contains("127.0.0.2")) }
    }
  }

  @Test func busyServicesAreSummedUp() throws {
    let keys = "max-connections-per-source = 256\nlog-rate = \"20/s burst 20\""
    try withDaemon(SampleConfiguration.service("time", keys)) { daemon in
      let load = try RunningProgram.run(
        try Programs.begat(),
        ["load", "--connections", "1000", "--concurrency", "16"] + target(try daemon.address("time")),
        within: .seconds(60))
      #expect(load.status == .exited(code: 0), "\(load.errors.text)")
      _ = try daemon.awaitConnections(0, of: "time", within: .seconds(2))
      try daemon.stop()
      let single = daemon.log.lines(containing: " bytes, complete").count
      let sums = daemon.log.lines(containing: "more connections than log-rate (20/s burst 20) in ")
      let summed = sums.compactMap { $0.firstMatch(of: /: (\d+) ended \((\d+) complete\)/).flatMap { Int($0.1) } }
      #expect(summed.count == sums.count, "\(sums)")
      #expect(single >= 20 && single < 1000 && single + summed.reduce(0, +) == 1000, "\(daemon.log.text)")
    }
  }

  @Test func problemsAreNeverSummedUp() throws {
    let configuration = SampleConfiguration.script("last", "exit 9", "log-rate = \"1/m burst 1\"")
    try withDaemon(configuration) { daemon in
      for _ in 0..<20 { _ = try ask(daemon.address("last")) }
      try daemon.log.awaitLines(20, containing: "exit status 9")
      #expect(daemon.log.lines(containing: "log-rate").isEmpty)
    }
  }

  @Test func linesAreJSONIfConfigured() throws {
    let directory = try TemporaryDirectory()
    let daemonTable = "[daemon]\nlog-format = \"json\"\n"
    let script = SampleConfiguration.script("talker", #"printf 'a "word" \\ \033[31m\n' >&2; exit 7"#)
    let daemon = try Daemon(daemonTable + SampleConfiguration.service("echo", "log = \"open\"") + script, in: directory)
    let client = try Client(try daemon.address("echo"))
    let peer = try client.address()
    try client.send("five!")
    try client.endSending()
    #expect(try client.receiveAll() == Array("five!".utf8))
    _ = try ask(daemon.address("talker"))
    try daemon.log.awaitLines(containing: "\"exit-status\":7")
    try daemon.log.awaitLines(containing: "connection-ended")
    try daemon.stop()
    let objects = try daemon.log.lines.map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
    func find(_ event: String) throws -> [String: Any] {
      try #require(objects.first { $0["event"] as? String == event }, "\(event) in \(daemon.log.text)")
    }
    let ended = try find("connection-ended")
    #expect(ended["service"] as? String == "echo" && ended["peer"] as? String == peer)
    #expect(ended["local"] as? String == (try daemon.address("echo")))
    #expect(ended["received"] as? Int == 5 && ended["sent"] as? Int == 5)
    #expect(ended["outcome"] as? String == "complete" && ended["ended-by"] as? String == "service")
    #expect(ended["level"] as? String == "info" && ended["duration"] is Double)
    #expect(try find("connection-opened")["pid"] as? Int == ended["pid"] as? Int)
    let failed = try find("connection-failed")
    #expect(failed["outcome"] as? String == "exited" && failed["exit-status"] as? Int == 7)
    let word = try find("program-line")
    #expect(word["message"] as? String == #"a "word" \ \x1b[31m"# && word["pid"] as? Int == failed["pid"] as? Int)
    #expect(try find("stopping")["message"] as? String == "stopping")
    let time = try #require(ended["time"] as? String)
    #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00/) != nil, "\(time)")
  }

  /// A process that serves a hostile client could be made to write anything: what it writes is quoted by its listener.
  @Test func connectionProcessesCannotWriteToIt() throws {
    try withDaemon(SampleConfiguration.service("command") + SampleConfiguration.service("echo")) { daemon in
      let log = ProcessFacts.descriptors(of: daemon.process)[2]
      let sockets = try [Client(daemon.address("command")), Client(daemon.address("echo"))]
      for service in ["command", "echo"] {
        let process = try daemon.awaitConnections(1, of: service)[0]
        var own: String?
        #expect(
          eventually {
            own = ProcessFacts.descriptors(of: process)[2]
            return own?.hasPrefix("pipe:") == true && own != log
          }, "\(service): \(own ?? "none"), as \(log ?? "none")")
        // Only one that is ours may be written to: the test's own log is a pipe too.
        guard own != log else { continue }
        _ = try RunningProgram.tool("sh", ["-c", "printf 'forged\\033[31m\\n' > /proc/\(process)/fd/2"])
        try daemon.log.awaitLines(containing: "\(service): connection process: forged\\x1b[31m")
      }
      for client in sockets { client.hangUp() }
    }
  }
}
