import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A log file of begatd's own, rotated, full, or on a file system that hangs.
@Suite(.timeLimit(.minutes(30)))
struct LogFileTests {
  private func configuration(_ file: String, _ service: String, _ lines: String...) -> String {
    "[daemon]\nlog-target = \"file\"\nlog-file = \"\(file)\"\n"
      + SampleConfiguration.service(
        service, (["log-rate = \"none\"", "max-connections-per-source = 256"] + lines).joined(separator: "\n"))
  }

  private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  private func lines(_ path: String) -> [String] { text(path).split(separator: "\n").map(String.init) }

  private func load(_ daemon: Daemon, _ service: String, connections: Int) throws -> RunningProgram {
    try RunningProgram(
      try Programs.begat(),
      ["load", "--connections", "\(connections)", "--concurrency", "16", "--json"] + target(daemon.address(service)))
  }

  @Test func messagesAreAppendedToIt() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("before\n", to: "log")
    let daemon = try Daemon(configuration(path, "echo"), in: directory)
    #expect(try ask(daemon.address("echo"), "hello") == Array("hello".utf8))
    #expect(eventually { text(path).contains("received 5, sent 5 bytes, complete") }, "\(text(path))")
    try daemon.stop()
    #expect(lines(path).first == "before" && lines(path).last?.hasSuffix(" begatd: stopped") == true, "\(text(path))")
    #expect(daemon.log.text.isEmpty, "\(daemon.log.text)")
  }

  /// Renamed under load, and opened anew by a signal and by a reload: each connection has its line in one of the files.
  @Test func noLineIsLostOrWrittenTwiceWhenItIsRotated() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("log")
    let daemon = try Daemon(configuration(path, "time"), in: directory)
    let connections = 3000
    let load = try load(daemon, "time", connections: connections)
    for rotation in 1...6 {
      let before = lines(path).count
      #expect(eventually(within: .seconds(20)) { lines(path).count > before + 100 || load.hasEnded })
      #expect(rename(path, "\(path).\(rotation)") == 0)
      if rotation % 2 == 0 { try daemon.program.send(.hangUp) } else { try daemon.program.send(.user1) }
      #expect(eventually(within: .seconds(10)) { access(path, F_OK) == 0 }, "rotation \(rotation)")
    }
    try load.awaitEnd(within: .seconds(60))
    #expect(try figures(load)["ok"] == Double(connections), "\(load.output.text)")
    _ = try daemon.awaitConnections(0, of: "time", within: .seconds(2))
    try daemon.stop()
    let all = (1...6).flatMap { lines("\(path).\($0)") } + lines(path)
    let records = all.filter { $0.hasSuffix(" bytes, complete") }
    #expect(records.count == connections && Set(records).count == connections, "\(records.count)")
    #expect(all.allSatisfy { $0.contains(#/^\d{4}-\d\d-\d\d .* begatd: /#) })
  }

  @Test func logrotateAsShippedLosesNothing() throws {
    let logrotate = try Programs.tool("logrotate")
    let directory = try TemporaryDirectory()
    let path = directory.path("begatd.log")
    let number = directory.path("pid")
    let daemon = try Daemon(configuration(path, "time"), in: directory, options: ["--pid-file", number])
    let shipped = text("\(Programs.package)/etc/logrotate.d/begat")
    let adapted = shipped.replacing("/var/log/begatd.log", with: path)
      .replacing("/run/begat/begatd.pid", with: number).replacing("su root adm", with: "")
      .replacing("create 0640 root adm", with: "create 0640")
    #expect(adapted != shipped && adapted.contains(path) && adapted.contains(number), "\(shipped)")
    let file = try directory.write(adapted, to: "logrotate.conf")
    chmod(file, 0o644)
    chmod(directory.path, 0o755)
    let connections = 3000
    let load = try load(daemon, "time", connections: connections)
    for _ in 0..<4 {
      let before = lines(path).count
      #expect(eventually(within: .seconds(20)) { lines(path).count > before + 100 || load.hasEnded })
      let run = try RunningProgram.run(
        logrotate, ["--force", "--state", directory.path("state"), file], within: .seconds(30))
      #expect(run.status == .exited(code: 0), "\(run.errors.text)")
      #expect(eventually(within: .seconds(10)) { !text(path).isEmpty || load.hasEnded })
    }
    try load.awaitEnd(within: .seconds(60))
    _ = try daemon.awaitConnections(0, of: "time", within: .seconds(2))
    try daemon.stop()
    #expect(access(number, F_OK) == -1, "the file with the process number is left")
    let unpacked = try RunningProgram.run(
      "/bin/sh", ["-c", "cat \"$0\" \"$0\".1; zcat \"$0\".*.gz", path], within: .seconds(30))
    let records = unpacked.output.lines.filter { $0.hasSuffix(" bytes, complete") }
    #expect(records.count == connections && Set(records).count == connections, "\(records.count)")
  }

  /// A file that takes nothing, a FIFO that no process reads, and a path that cannot be opened.
  @Test(arguments: ["/dev/full", "fifo"])
  func oneThatTakesNothingDelaysNothing(kind: String) throws {
    let directory = try TemporaryDirectory()
    let path = kind == "fifo" ? directory.path("fifo") : kind
    if kind == "fifo" { #expect(mkfifo(path, 0o600) == 0) }
    let watch = Stopwatch()
    let daemon = try Daemon(configuration(path, "time"), in: directory)
    // A writer that hangs is waited for at the start, for two seconds.
    #expect(watch.elapsed < .seconds(10))
    let load = try load(daemon, "time", connections: 3000)
    try load.awaitEnd(within: .seconds(60))
    #expect(try figures(load)["ok"] == 3000, "\(load.output.text)")
    let answered = Stopwatch()
    #expect(try ask(daemon.address("time")).count == 4)
    #expect(answered.elapsed < .seconds(1))
    try daemon.stop()
  }

  /// While the file takes nothing, lines are dropped; once it takes something again, it says how many.
  @Test func whatIsDroppedIsCounted() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("log")
    let daemon = try Daemon(configuration(path, "time"), in: directory)
    let writer = try #require(
      ProcessFacts.children(of: daemon.process).first { $0.title.hasPrefix("begatd: log") }?.process)
    // As one that a file system does not answer.
    try Signal(rawValue: SIGSTOP).send(to: writer)
    let connections = 6000
    let load = try load(daemon, "time", connections: connections)
    try load.awaitEnd(within: .seconds(120))
    #expect(try figures(load)["ok"] == Double(connections), "\(load.output.text)")
    _ = try daemon.awaitConnections(0, of: "time", within: .seconds(2))
    try Signal(rawValue: SIGCONT).send(to: writer)
    #expect(
      try eventually(within: .seconds(10)) {
        _ = try ask(daemon.address("time"))
        return text(path).contains("lost")
      }, "\(lines(path).count)")
    try daemon.stop()
    let records = lines(path).filter { $0.hasSuffix(" bytes, complete") }
    let lost = lines(path).compactMap { line -> Int? in
      line.firstMatch(of: /log: (\d+) messages? lost/).flatMap { Int($0.1) }
    }
    let asked = lines(path).count { $0.hasSuffix(" bytes, complete") }
    #expect(Set(records).count == records.count && !lost.isEmpty)
    // Those that were asked for to find out are among them.
    #expect(records.count + lost.reduce(0, +) >= connections, "\(asked) \(lost)")
    #expect(records.count + lost.reduce(0, +) < connections + 200, "\(asked) \(lost)")
  }

  @Test func aWriterThatDiesIsReplaced() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("log")
    let daemon = try Daemon(configuration(path, "echo"), in: directory)
    func writer() -> pid_t? {
      ProcessFacts.children(of: daemon.process).first { $0.title.hasPrefix("begatd: log") && !$0.isZombie }?.process
    }
    let first = try #require(writer())
    try Signal.kill.send(to: first)
    #expect(eventually { writer().map { $0 != first } ?? false })
    #expect(try ask(daemon.address("echo"), "hello") == Array("hello".utf8))
    #expect(eventually { text(path).contains("sent 5 bytes, complete") }, "\(text(path))")
    try daemon.stop()
    #expect(text(path).contains(/log: \d messages? lost/), "\(text(path))")
  }

  @Test func onePathThatCannotBeOpenedIsSaid() throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(configuration(directory.path("missing/log"), "echo"), in: directory)
    #expect(daemon.log.lines.first?.contains("No such file or directory; messages go to standard error") == true)
    #expect(try ask(daemon.address("echo"), "hello") == Array("hello".utf8))
    try daemon.log.awaitLines(containing: "sent 5 bytes, complete")
    try daemon.stop()
  }
}
