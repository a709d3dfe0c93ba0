import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat interact`, by steps and from files: no terminal anywhere but the one that it makes.
@Suite(.timeLimit(.minutes(30)))
struct InteractCommandTests {
  private static let login = """
    import getpass, os, sys
    name = input('login: '); word = getpass.getpass('Password: ')
    print('Welcome ' + name if word == 'se cret' else 'Login incorrect')
    print('variable:', os.environ.get('WORD')); sys.exit(3)
    """

  @Test func logsInWithoutATerminal() throws {
    let directory = try TemporaryDirectory()
    let program = try RunningProgram.run(
      try Programs.begat(),
      [
        "interact", "--log", directory.path("log"), "--expect", "login: ", "--send", "ada\\n", "--expect=Password: ",
        "--send-environment", "WORD", "--send", "\\r", "--expect-regex", "Welcome (ada|bob)", "--", "python3", "-c",
        Self.login,
      ], environment: ["WORD=se cret"])
    #expect(program.status == .exited(code: 3), "\(program.errors.text)")
    #expect(program.output.text == "login: ada\r\nPassword: \r\nWelcome ada\r\nvariable: None\r\n")
    let log = try RunningProgram.tool("cat", [directory.path("log")])
    #expect(log.output.bytes == program.output.bytes)
  }

  @Test func whatIsSentIsLogged() throws {
    let directory = try TemporaryDirectory()
    let program = try RunningProgram.run(
      try Programs.begat(),
      [
        "interact", "--quiet", "--log-sent", directory.path("sent"), "--expect", "login: ", "--send", "ada\\r",
        "--expect-no-echo", "--send-environment", "WORD", "--send", "\\r", "python3", "-c", Self.login,
      ], environment: ["WORD=se cret"])
    #expect(program.status == .exited(code: 3), "\(program.errors.text)")
    #expect(try RunningProgram.tool("cat", [directory.path("sent")]).output.text.hasPrefix("ada\r[sent]\r"))
  }

  @Test func waitsUntilTheEchoIsOff() throws {
    let late = try runBegat("interact", "--timeout", "300ms", "--expect-no-echo", "--", "sleep", "60")
    #expect(late.status == .exited(code: 1))
    #expect(late.errors.text.contains("step 1, --expect-no-echo: the terminal shows what is typed after 300ms"))
    let off = try runBegat("interact", "--expect-no-echo", "--expect-end", "sh", "-c", "stty -echo")
    #expect(off.status == .exited(code: 0), "\(off.errors.text)")
    #expect(try runBegat("pipe", "--expect-no-echo", "--", "true").status == .exited(code: 64))
  }

  @Test func theTerminalHasTheSizeThatIsAskedFor() throws {
    let sized = try runBegat("interact", "--no-input", "--size", "500x7", "--", "stty", "size")
    #expect(sized.output.text == "7 500\r\n", "\(sized.errors.text)")
    for size in ["", "80", "80x", "0x5", "80x24x1", "70000x5"] {
      #expect(try runBegat("interact", "--size=\(size)", "--", "true").status == .exited(code: 64))
    }
  }

  @Test func aLineThatTheTerminalCutsIsReported() throws {
    let text = String(repeating: "x", count: 6000) + "\n"
    let cut = try runBegat("interact", "--no-echo", "--", "wc", "-c", input: .text(text + text))
    #expect(
      cut.errors.lines == [
        "begat interact: a line of more than 4095 bytes, of which the program's terminal drops the rest: begat pipe has "
          + "no terminal"
      ])
    let raw = try runBegat(
      "interact", "--no-echo", "--expect", "ready", "--", "sh", "-c",
      "stty raw; echo ready; head -c 12002 | wc -c", input: .text(text + text))
    #expect(raw.errors.text == "", "\(raw.errors.text)")
  }

  /// Much output is not searched again for each piece of it.
  @Test func aRegexFindsItsPlaceInMuchOutput() throws {
    let script = "$| = 1; print 'u@h: ', 'x' x 70, qq(\n) for 1..20000; print 'u@h$ READY'; print qq(\n), 'end'"
    let found = try runBegat(
      "pipe", "--quiet", "--no-input", "--timeout", "60s", "--expect-regex", ".*[$#] READY", "perl", "-e", script)
    #expect(found.output.text.trimmed == "end", "\(found.errors.text)")
    // One that looks at what comes before it sees all.
    let whole = try runBegat(
      "pipe", "--quiet", "--no-input", "--expect-regex", "^first(?s:.*)last", "perl", "-e",
      "$| = 1; print qq(first\\n); print qq(y) x 79, qq(\\n) for 1..1000; print 'last'; print 'end'")
    #expect(whole.output.text == "end", "\(whole.errors.text)")
  }

  @Test func sendsAFile() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("bob\nse cret\n", to: "answers")
    let program = try runBegat(
      "interact", "--expect", "login: ", "--send-file", file, "--expect", "incorrect", "--", "sh", "-c",
      "printf 'login: '; read a; read b; [ \"$a$b\" = 'bobse cret' ] && echo incorrect")
    #expect(program.status == .exited(code: 0), "\(program.errors.text)")
    let endless = try runBegat(
      "interact", "--quiet", "--timeout", "300ms", "--send-file", "/dev/zero", "--", "sleep", "1000")
    #expect(endless.status == .exited(code: 1))
    #expect(endless.errors.text.contains("step 1, --send-file /dev/zero: the program has not taken it after 300ms"))
    let missing = try runBegat("interact", "--send-file", "/nowhere/f", "--", "cat")
    #expect(missing.status == .exited(code: 1))
    #expect(
      missing.errors.text
        == "begat interact: step 1, --send-file /nowhere/f: open /nowhere/f: No such file or directory\n")
  }

  /// Comm.pl's own example.
  @Test func getsLinesBackFromCat() throws {
    let cat = try runBegat(
      "interact", "--no-echo", "--quiet", "--send", "a line\\n", "--line", "--send", "another\\n", "--line", "--end",
      "--expect-end", "--", "cat", "-n")
    #expect(cat.status == .exited(code: 0) && cat.errors.text == "")
    #expect(cat.output.text == "     1\ta line\r\n     2\tanother\r\n")
  }

  @Test func typesAScript() throws {
    let bc = try runBegat("interact", "--no-echo", "--", "sh", "-c", "exec bc -q", input: .text("6*7\n2^70\n"))
    #expect(bc.status == .exited(code: 0), "\(bc.errors.text)")
    for result in ["42", "1180591620717411303424"] { #expect(bc.output.text.contains(result)) }
  }

  /// The end-of-file key is taken once, and lost where an interactive shell changes its terminal's mode.
  @Test(arguments: [
    ["sh", "-c", "cat; cat; cat; exit 9"], ["bash", "--norc", "--noprofile", "-i"],
    ["python3", "-c", "import getpass, sys; exec(\"try: getpass.getpass()\\nexcept EOFError: sys.exit(9)\")"],
  ])
  func everyReaderFindsTheEndOfInput(command: [String]) throws {
    let program = try RunningProgram(
      try Programs.begat(), ["interact", "--"] + command, input: .pipe, environment: ["TERM=dumb"])
    if command[0] == "bash" {
      // It has the terminal in its other mode when the end comes.
      try program.write("sh -c 'echo rea\"\"dy; exec sleep 0.2'; trap 'exit 9' EXIT\n")
      #expect(program.output.wait(within: .seconds(10)) { $0.contains("ready") })
    }
    program.endInput()
    #expect(try program.awaitEnd() == .exited(code: 9), "\(program.output.text)")
  }

  @Test func neverAnswered() throws {
    let watch = Stopwatch()
    let program = try runBegat(
      "interact", "--timeout", "300ms", "--expect", "name? ", "--expect", "login:", "--", "sh", "-c",
      "trap '' HUP; sleep 1000 & printf \"$$ $!\\nname? \"; printf '\\033[2Jno'; exec sleep 1000")
    #expect(program.status == .exited(code: 1) && watch.elapsed < .seconds(8))
    #expect(
      program.errors.text
        == "begat interact: step 2, --expect \"login:\": it has not come after 300ms; last came: \"\\x1b[2Jno\"\n")
    let numbers = program.output.text.split(whereSeparator: \.isWhitespace).prefix(2).compactMap { pid_t($0) }
    #expect(numbers.count == 2)
    for process in numbers { #expect(eventually { ProcessFacts(process).map { $0.isZombie } ?? true }) }
  }

  @Test func endsEarly() throws {
    let watch = Stopwatch()
    let program = try runBegat(
      "interact", "--timeout", "60", "--expect", "login:", "--", "sh", "-c", "echo refused; exit 3")
    #expect(program.status == .exited(code: 1) && watch.elapsed < .seconds(10))
    #expect(
      program.errors.text
        == "begat interact: step 1, --expect \"login:\": the program has ended (exit 3); last came: \"refused\\x0d\\x0a\"\n"
    )
  }

  @Test(arguments: ["--expect=needle", "--expect-regex=nee[d]le"])
  func findsTheTextAfter16MiB(step: String) throws {
    let script = """
      $| = 1; print "x" x 65535, "\\n" for 1..256; print "nee"; <STDIN>; print "dle\\n"; exit 5
      """
    let program = try RunningProgram.run(
      try Programs.begat(),
      [
        "interact", "--no-echo", "--timeout", "60", "--expect", "nee", "--send", "\\n", step.replacing("nee", with: ""),
        "--expect-end", "--", "perl", "-e", script,
      ],
      within: .seconds(100))
    #expect(program.status == .exited(code: 5), "\(program.errors.text)")
    // Each line's end has a CR before it.
    #expect(program.output.bytes.count == 256 * 65537 + 8 && program.output.text.hasSuffix("xx\r\nneedle\r\n"))
  }

  /// Written in two pieces, of which the second one comes only after the first one was read.
  @Test func findsTheTextAcrossPieces() throws {
    let program = try RunningProgram.run(
      try Programs.begat(),
      [
        "interact", "--no-echo", "--timeout", "20", "--expect", "Pass", "--expect-regex", "^word: $", "--", "perl",
        "-e",
        "$| = 1; print 'Pass'; print \"word: \"; <STDIN>",
      ])
    #expect(program.status == .exited(code: 0), "\(program.errors.text)")
  }

  @Test func quietShowsOnlyWhatIsLeft() throws {
    let program = try runBegat(
      "interact", "--quiet", "--expect", "b", "--", "sh", "-c", "printf 'abc\\n'", input: .nothing)
    #expect(program.output.text == "c\r\n" && program.status == .exited(code: 0))
  }

  @Test func statusesAreTheProgramsOwn() throws {
    #expect(try runBegat("interact", "--", "sh", "-c", "kill -KILL $$").status == .exited(code: 137))
    #expect(try runBegat("interact", "--", "nosuchprogram").status == .exited(code: 127))
    #expect(try runBegat("interact", "--", "/etc/passwd").status == .exited(code: 126))
    #expect(try runBegat("interact", "--no-input", "--", "sh", "-c", "exit 7").status == .exited(code: 7))
  }

  @Test func outputThatCannotBeWritten() throws {
    let shell = try RunningProgram.run(
      try Programs.tool("sh"),
      [
        "-c",
        "for o in /dev/full; do \"$0\" interact -- echo x > $o; echo $?; done; \"$0\" interact -- echo x >&-; echo $?",
        try Programs.begat(),
      ])
    #expect(shell.output.text == "1\n1\n", "\(shell.errors.text)")
    #expect(shell.errors.text.hasPrefix("begat interact: write standard output: No space left on device\n"))
    let pipe = try RunningProgram.run(
      try Programs.tool("bash"),
      ["-c", "\"$0\" interact -- yes | head -1; echo ${PIPESTATUS[0]}", try Programs.begat()])
    #expect(pipe.output.text == "y\r\n141\n" && pipe.errors.text == "")
  }

  @Test(arguments: [
    ["--send", "\\q", "--", "cat"], ["--send", "\\x4", "--", "cat"], ["--send", "\\033", "--", "cat"],
    ["--expect", "", "--", "cat"], ["--expect-regex", "(", "--", "cat"], ["--expect-end", "--line", "--", "cat"],
    ["--timeout", "0", "--", "cat"], ["--escape", "ab", "--", "cat"], [], ["--"],
  ])
  func refusesWhatIsWrong(arguments: [String]) throws {
    let program = try RunningProgram.run(try Programs.begat(), ["interact"] + arguments)
    #expect(program.status == .exited(code: 64) && program.output.text == "" && program.errors.text != "")
  }

  @Test func textsMayLookLikeOptions() throws {
    let program = try runBegat(
      "interact", "--expect", "--More--", "--send", "-q\\n", "--", "sh", "-c",
      "printf %s --More--; read answer; [ \"$answer\" = -q ]")
    #expect(program.status == .exited(code: 0), "\(program.errors.text)")
  }
}
