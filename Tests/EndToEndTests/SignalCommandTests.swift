import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat signals`, `begat signal` and `begat alive`.
@Suite(.timeLimit(.minutes(30)))
struct SignalCommandTests {
  /// Says "ready", and each signal that it gets.
  private static let listener = """
    $| = 1; my $who = shift; for my $name (qw(HUP USR1)) { $SIG{$name} = sub { syswrite STDOUT, "$who $name\\n" } }
    """
  private static let waiting = "print \"$who ready\\n\"; select undef, undef, undef, 60 for 1..3"

  private func start(_ script: String, _ words: String...) throws -> RunningProgram {
    try RunningProgram(try Programs.tool("env"), signalledPerl.dropFirst() + ["-e", script] + words)
  }

  @Test func signalsAgreesWithPerl() throws {
    let names = try runPerl("use Config; print $Config{sig_name}").split(separator: " ").map(String.init)
    let shown = try json(runBegat("signals", "--json"), as: [[String: Any]].self)
    #expect(shown.count > 60)
    for signal in shown {
      let number = try #require(signal["number"] as? Int)
      // Perl's numbers between the standard and the real-time ones are the C library's own.
      guard number < 32 else { continue }
      let known = [signal["name"] as? String] + (signal["aliases"] as? [String] ?? [])
      #expect(known.contains(names[number]), "\(number)")
    }
  }

  @Test func signalsShowsWhatIsNamed() throws {
    let some = try runBegat("signals", "sigterm", "nosuch\u{1b}[2J", "9", "RTMIN+1")
    #expect(some.status == .exited(code: 1))
    #expect(some.output.lines.dropFirst().map { $0.split(separator: " ")[1] } == ["TERM", "KILL", "RTMIN+1"])
    #expect(some.errors.text == "begat signals: nosuch\\x1b[2J: no such signal\n")
    #expect(try runBegat("signals").status == .exited(code: 0))
  }

  /// Nothing comes of a signal to one that has ended and is not reaped, or to a group of such.
  @Test func aZombieIsNotReached() throws {
    let parent = try startPerl(
      "$| = 1; my $p = fork // die; if (!$p) { setpgrp; exit } print qq(is $p\n); sleep 60 for 1..3")
    let zombie = try #require(pid_t(try parent.output.awaitLines(containing: "is ")[0].dropFirst(3)))
    #expect(eventually { ProcessFacts(zombie)?.isZombie ?? false })
    let sent = try runBegat("signal", "TERM", "\(zombie)")
    #expect(sent.status == .exited(code: 1) && sent.errors.text == "begat signal: \(zombie): No such process\n")
    let group = try runBegat("signal", "--group", "TERM", "\(zombie)")
    #expect(group.status == .exited(code: 1) && group.errors.text == "begat signal: group \(zombie): No such process\n")
    #expect(try runBegat("alive", "\(zombie)").output.text == "\(zombie)  gone\n")
  }

  @Test func signalReachesEachProcess() throws {
    let listeners = try ["a", "b"].map { try start(Self.listener + Self.waiting, $0) }
    for listener in listeners { try listener.output.awaitLines(containing: "ready") }
    let gone = try RunningProgram.tool("true", []).process
    let sent = try runBegat("signal", "USR1", "\(listeners[0].process)", "\(gone)", "\(listeners[1].process)")
    #expect(sent.status == .exited(code: 1))
    #expect(sent.errors.text == "begat signal: \(gone): No such process\n" && sent.output.text == "")
    for listener in listeners { try listener.output.awaitLines(containing: "USR1") }
    #expect(try runBegat("signal", "sigkill", "\(listeners[0].process)").status == .exited(code: 0))
    #expect(try listeners[0].awaitEnd() == .killed(by: .kill, dumpedCore: false))
  }

  @Test func signalReachesAGroup() throws {
    let leader = try start(
      "setpgrp; my $life = fork // die; @ARGV = $life ? 'leader' : 'member';" + Self.listener + Self.waiting)
    try leader.output.awaitLines(2, containing: "ready")
    #expect(try runBegat("signal", "--group", "HUP", "\(leader.process)").status == .exited(code: 0))
    try leader.output.awaitLines(2, containing: "HUP")
    #expect(Set(leader.output.lines(containing: "HUP")) == ["leader HUP", "member HUP"])
    #expect(try runBegat("signal", "--group", "KILL", "\(leader.process)").status == .exited(code: 0))
    try leader.awaitEnd()
    #expect(leader.output.awaitEnd(within: .seconds(5)), "the member lives on")
  }

  /// `kill HUP => -$$` of a process that does not lead its group.
  @Test func signalReachesTheOwnGroupButNotItself() throws {
    let script = """
      setpgrp; exit(0) unless defined(my $member = fork); @ARGV = ($member ? 'leader' : 'member', @ARGV);
      \(Self.listener)
      if ($member) { wait; exit } print "$who ready\\n"; my $status = system @ARGV; print "status $status\\n";
      """
    let leader = try start(script, try Programs.begat(), "signal", "--own-group", "HUP")
    #expect(try leader.awaitEnd() == .exited(code: 0))
    #expect(
      Set(leader.output.lines) == ["member ready", "leader HUP", "member HUP", "status 0"], "\(leader.errors.text)")
  }

  @Test(arguments: [
    ["0", "1"], ["NOSUCH", "1"], ["TERM"], ["TERM", "0"], ["TERM", "--", "-1"], ["TERM", "1x"], ["TERM", ""],
    ["TERM", "99999999999"], ["--group", "TERM", "1"], ["--own-group", "TERM", "5"],
    ["--own-group", "--group", "TERM"],
  ])
  func signalRefusesWhatItMustNotGuess(arguments: [String]) throws {
    let sent = try RunningProgram.run(try Programs.begat(), ["signal"] + arguments)
    #expect(sent.status == .exited(code: 64))
    #expect(sent.output.text == "" && sent.errors.text != "")
    if arguments[0] == "0" { #expect(sent.errors.text.contains("begat alive")) }
  }

  @Test func aliveHasThreeAnswers() throws {
    let there = try start(Self.listener + Self.waiting, "a")
    let gone = try RunningProgram.tool("true", []).process
    let mixed = try runBegat("alive", "\(there.process)", "\(gone)")
    #expect(mixed.status == .exited(code: 1))
    #expect(
      mixed.output.lines.map { $0.split(separator: " ").map(String.init) }
        == [["\(there.process)", "alive"], ["\(gone)", "gone"]])
    #expect(try runBegat("alive", "\(there.process)").status == .exited(code: 0))
    // Process 1 is root's.
    let command = try Machine.unprivileged() + [try Programs.begat(), "alive", "--json", "1"]
    let foreign = try RunningProgram.run(command[0], Array(command.dropFirst()))
    #expect(foreign.status == .exited(code: 0), "\(foreign.errors.text)")
    #expect(foreign.output.text == "[{\"pid\":1,\"state\":\"not ours\"}]\n")
    for wrong in ["0", "-1", "x"] { #expect(try runBegat("alive", "--", wrong).status == .exited(code: 64)) }
  }

  @Test func aliveWaitsForAllOfThem() throws {
    let there = try (0..<20).map { try start(Self.listener + Self.waiting, "\($0)") }
    let numbers = there.map { "\($0.process)" }
    func wait(_ options: String...) throws -> RunningProgram {
      try RunningProgram(try Programs.begat(), ["alive", "--wait"] + options + numbers)
    }
    let watch = Stopwatch()
    let impatient = try wait("--timeout", "200ms")
    #expect(try impatient.awaitEnd() == .exited(code: 1))
    #expect(watch.elapsed >= .milliseconds(200) && impatient.output.lines(containing: "alive").count == 20)
    let patient = try wait()
    for program in there.dropLast() { program.kill() }
    #expect(!patient.hasEnded)
    there[19].kill()
    #expect(try patient.awaitEnd() == .exited(code: 0))
    #expect(patient.output.lines(containing: "gone").count == 20)
  }

  @Test func outputThatCannotBeWrittenIsAFailure() throws {
    let shell = try RunningProgram.run(
      try Programs.tool("sh"),
      ["-c", "\"$0\" signals > /dev/full; echo $?; \"$0\" signals >&-; echo $?", try Programs.begat()])
    #expect(shell.output.text == "1\n1\n")
    #expect(shell.errors.lines.count == 2 && shell.errors.text.contains("standard output"), "\(shell.errors.text)")
  }
}
