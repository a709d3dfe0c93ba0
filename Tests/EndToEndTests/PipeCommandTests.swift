import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat pipe`: open2 and open3 for scripts.
@Suite(.timeLimit(.minutes(30)))
struct PipeCommandTests {
  /// perlipc's own example.
  @Test func goesLineByLineWithCat() throws {
    let cat = try runBegat(
      "pipe", "--quiet", "--send", "stuff\\n", "--line", "--send=more\\n", "--line", "--end", "--", "cat", "-u", "-n")
    #expect(cat.status == .exited(code: 0) && cat.errors.text == "")
    #expect(cat.output.text == "     1\tstuff\n     2\tmore\n")
  }

  @Test func calculatesWithBc() throws {
    let bc = try runBegat(
      "pipe", "--send", "6*7\\n", "--expect", "42\\n", "--send", "2^70\\n", "--expect-regex", "^[0-9]{22}\\n", "--",
      "bc",
      input: .text("1+1\n"))
    #expect(bc.status == .exited(code: 0) && bc.output.text == "42\n1180591620717411303424\n2\n", "\(bc.errors.text)")
  }

  @Test func talksToPython() throws {
    let script = "import sys\nfor line in sys.stdin: print('got', line.strip())\nprint('bye'); sys.exit(5)"
    let python = try runBegat(
      "pipe", "--send", "a\\n", "--line", "--", "python3", "-u", "-c", script, input: .text("b\nc\n"))
    #expect(python.status == .exited(code: 5) && python.output.text == "got a\ngot b\ngot c\nbye\n")
  }

  @Test func passesOn64MiBBothWays() throws {
    let directory = try TemporaryDirectory()
    let (from, to) = (directory.path("from"), directory.path("to"))
    _ = try RunningProgram.tool("sh", ["-c", "head -c 64M /dev/urandom > \"$0\"", from])
    let shell = try RunningProgram.run(
      try Programs.tool("bash"),
      [
        "-c",
        "set -o pipefail; cat \"$1\" | \"$0\" pipe -- cat | cat > \"$2\"; echo $?; cmp \"$1\" \"$2\" && echo same",
        try Programs.begat(), from, to,
      ], within: .seconds(60))
    #expect(shell.output.text == "0\nsame\n", "\(shell.errors.text)")
    // As a step, and not shown: more than may wait.
    let quiet = try RunningProgram.run(
      try Programs.begat(), ["pipe", "--quiet", "--send-file", from, "--end", "--expect-end", "--", "cat"],
      within: .seconds(60))
    #expect(quiet.status == .exited(code: 0) && quiet.output.text == "" && quiet.errors.text == "")
  }

  /// open3 of perlipc stands still when the output that nobody reads just then is full.
  @Test func bothOutputsMayBeFullAtOnce() throws {
    let script = """
      print STDERR "e" x 99, "\\n" for 1..10000; print "o" x 99, "\\n" for 1..10000; print STDERR "last\\n" while <STDIN>
      """
    let program = try runBegat(
      "pipe", "--label", "--quiet", "--expect", "oo", "--end", "--", "perl", "-e", script, input: .text("never read\n"))
    #expect(program.status == .exited(code: 0), "\(program.errors.text)")
    #expect(program.output.lines(containing: "err: e").count == 10000)
    #expect(program.output.lines.allSatisfy { $0.hasPrefix("err: e") || $0.hasPrefix("out: o") })
    let directory = try TemporaryDirectory()
    let stored = try runBegat("pipe", "--errors", directory.path("errors"), "--", "perl", "-e", script)
    #expect(stored.output.bytes.count == 1_000_000 && stored.errors.text == "")
    #expect(try RunningProgram.tool("cat", [directory.path("errors")]).output.bytes.count == 1_000_000)
  }

  @Test func errorsAreOursElse() throws {
    let program = try runBegat("pipe", "--", "sh", "-c", "echo out; echo problem >&2")
    #expect(program.output.text == "out\n" && program.errors.text == "problem\n")
  }

  @Test func labelsTellTheOutputsApart() throws {
    let program = try runBegat(
      "pipe", "--label", "--", "sh", "-c", "printf 'half '; echo oops >&2; echo 'a line'; printf '\\033end'")
    // Neither knows when the other one wrote.
    #expect(program.output.lines.sorted() == ["err: oops", "out: \u{1b}end", "out: half a line"])
    #expect(program.output.text.hasSuffix("\n"))
    // Terminals get no control characters.
    var terminal = try TerminalConversation(
      Program(
        path: try Programs.begat(), arguments: ["pipe", "--label", "--", "printf", "\\033[2J\\n"],
        environment: .init(entries: RunningProgram.environment)))
    try terminal.sendEndOfFile()
    let shown = try terminal.expect("out: \\x1b[2J\r\n", until: UnixCore.Deadline(after: .seconds(10)))
    #expect(shown.before == [])
  }

  @Test func endsEarly() throws {
    let silent = try runBegat("pipe", "--timeout", "60", "--expect", "ready", "--", "sh", "-c", "echo no; exit 4")
    #expect(silent.status == .exited(code: 1))
    #expect(
      silent.errors.text
        == "begat pipe: step 1, --expect \"ready\": the program has ended (exit 4); last came: \"no\\x0a\"\n")
    let deaf = try runBegat("pipe", "--line", "--send", "x", "--", "sh", "-c", "exec <&-; echo deaf; exit 4")
    #expect(deaf.status == .exited(code: 1))
    #expect(deaf.errors.text == "begat pipe: step 2, --send: the program takes no more input (exit 4)\n")
    // After the steps that is no failure, as in a shell's pipeline.
    let head = try RunningProgram.run(
      try Programs.tool("bash"), ["-c", "yes | \"$0\" pipe -- head -n 1; echo $?", try Programs.begat()])
    #expect(head.output.text == "y\n0\n" && head.errors.text == "")
  }

  @Test func neverAnswers() throws {
    // It keeps what it writes until its input ends.
    let buffered = try runBegat("pipe", "--timeout", "300ms", "--send", "a\\n", "--line", "--", "perl", "-ne", "print")
    #expect(buffered.status == .exited(code: 1))
    #expect(buffered.errors.text == "begat pipe: step 2, --line: no line has come after 300ms; nothing came\n")
    let full = try runBegat("pipe", "--timeout", "300ms", "--send-file", "/dev/zero", "--", "sleep", "1000")
    #expect(full.status == .exited(code: 1) && full.errors.text.contains("the program has not taken it after 300ms"))
    let lasting = try runBegat("pipe", "--timeout", "300ms", "--end", "--expect-end", "--", "sleep", "1000")
    #expect(lasting.status == .exited(code: 1) && lasting.errors.text.contains("the program has not ended after 300ms"))
  }

  @Test func statusesAreTheProgramsOwn() throws {
    #expect(try runBegat("pipe", "--", "sh", "-c", "kill -KILL $$").status == .exited(code: 137))
    #expect(try runBegat("pipe", "--", "nosuchprogram").status == .exited(code: 127))
    #expect(try runBegat("pipe", "--", "/etc/passwd").status == .exited(code: 126))
    #expect(try runBegat("pipe", "--no-input", "--", "sh", "-c", "cat; exit 7").status == .exited(code: 7))
  }

  @Test func whatItLeavesBehindIsNotWaitedFor() throws {
    let watch = Stopwatch()
    let program = try startBegat("pipe", "--", "sh", "-c", "sleep 30 & echo left $!")
    #expect(eventually(within: .seconds(10)) { program.hasEnded })
    #expect(program.status == .exited(code: 0) && watch.elapsed < .seconds(20))
    let left = try #require(try number(in: program))
    kill(left, SIGKILL)
  }

  @Test(arguments: [Signal.terminate, .interrupt, .hangUp, .kill])
  func itsProgramEndsWithIt(signal: Signal) throws {
    let program = try startBegat(
      "pipe", "--timeout", "60", "--expect", "never", "--", "sh", "-c", "echo child $$; exec sleep 1000", input: .pipe)
    let child = try #require(try number(in: program))
    try program.send(signal)
    #expect(try program.awaitEnd() == .killed(by: signal, dumpedCore: false))
    #expect(eventually { ProcessFacts(child).map { $0.isZombie } ?? true })
  }

  /// The last word of its first line.
  private func number(in program: RunningProgram) throws -> pid_t? {
    try program.output.awaitLines(containing: " ")[0].split(separator: " ").last.flatMap { pid_t($0) }
  }

  @Test func aReaderThatLeavesEndsIt() throws {
    let shell = try RunningProgram.run(
      try Programs.tool("bash"),
      [
        "-c",
        "\"$0\" pipe -- yes < /dev/null | head -n 1; echo ${PIPESTATUS[0]}; \"$0\" pipe -- echo x > /dev/full; echo $?",
        try Programs.begat(),
      ])
    #expect(shell.output.text == "y\n141\n1\n")
    #expect(shell.errors.text == "begat pipe: write standard output: No space left on device\n")
  }
}
