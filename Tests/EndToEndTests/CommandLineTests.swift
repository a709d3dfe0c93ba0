import Testing
@_spi(Begat) import UnixCore

/// What all commands of begat have in common.
@Suite(.timeLimit(.minutes(30)))
struct CommandLineTests {
  @Test func aMistypedCommandIsNamed() throws {
    let mistyped = try runBegat("conect", "localhost", "1")
    #expect(mistyped.status == .exited(code: 64))
    #expect(mistyped.errors.text == "begat: conect: no such command; did you mean connect?; see begat --help\n")
    let strange = try runBegat("\u{1b}[2J")
    #expect(strange.status == .exited(code: 64) && !strange.errors.text.contains("\u{1b}"))
  }

  @Test(arguments: ["1", "1s", "1000ms", "0.5", ".5", "0m1s", "1.000000001", "1m30s"])
  func timesAreReadAlike(time: String) throws {
    let gone = try runBegat("alive", "--wait", "--timeout", time, "999999999")
    #expect(gone.status == .exited(code: 0) && gone.output.text == "999999999  gone\n", "\(gone.errors.text)")
    let refused = try runBegat("connect", "--timeout", time, "/nowhere")
    #expect(refused.status == .exited(code: 1), "\(refused.errors.text)")
  }

  @Test(arguments: ["", "1x", ".", "1.", "-1", "1,5", "1.x", "1e3", "٣", "99999999999"])
  func otherTimesAreUsage(time: String) throws {
    #expect(try runBegat("connect", "--timeout=\(time)", "/nowhere").status == .exited(code: 64))
  }

  @Test(
    "says what is wrong with a command line in one line that names the command",
    arguments: [
      (["run", "--bogus", "x"], "begat run: unknown option '--bogus'; see begat run --help"),
      (["run", "--bogus"], "begat run: unknown option '--bogus'; see begat run --help"),
      (["time", "--prot", "7"], "begat time: unknown option '--prot'; did you mean --port?; see begat time --help"),
      (["sem"], "begat sem: a command is missing: create, take, give, show, remove, list; see begat sem --help"),
      (["help", "bogus"], "begat: bogus: no such command; see begat --help"),
      (
        ["ps", "--sort", "x"],
        "begat ps: the value 'x' is invalid for '--sort <column>'. Please provide one of the following: service, age, in, "
          + "out, peer, pid, waits-for; see begat ps --help"
      ),
      (["sem", "take"], "begat sem take: missing expected argument '<key>'; see begat sem take --help"),
      (["signal", "TERM"], "begat signal: the number of a process is missing; see begat signal --help"),
      (
        ["connect", "a", "b", "c", "d"], "begat connect: 2 unexpected arguments: 'c', 'd'; see begat connect --help"
      ),
      (["load", "a", "b", "c"], "begat load: unexpected argument 'c'; see begat load --help"),
      (["connect", "-4", "-6", "h", "1"], "begat connect: -4 and -6 exclude each other; see begat connect --help"),
    ])
  func aWrongCommandLineIsOneLine(words: [String], line: String) throws {
    let wrong = try RunningProgram.run(try Programs.begat(), words)
    #expect(wrong.status == .exited(code: 64) && wrong.output.text == "")
    #expect(wrong.errors.text == line + "\n")
  }

  @Test(arguments: [
    "--help", "--version", "help", "run --help", "sem take --help", "--generate-completion-script bash",
  ])
  func helpThatCannotBeWrittenIsAFailure(words: String) throws {
    let full = try RunningProgram.run(
      try Programs.tool("sh"), ["-c", "\"$0\" \(words) > /dev/full", try Programs.begat()])
    #expect(full.status == .exited(code: 1))
    #expect(full.errors.text == "begat: write standard output: No space left on device\n")
  }

  /// A command's own parser does not know begat's other commands, nor its version.
  @Test(arguments: [
    ("connect --help", "help connect"), ("sem take --help", "help sem take"),
    ("connect localhost 1 --help", "help connect"), ("connect --version", "--version"),
    ("sem list --generate-completion-script bash", "--generate-completion-script bash"),
  ])
  func helpIsTheSameBehindACommand(behind: String, before: String) throws {
    func run(_ words: String) throws -> RunningProgram {
      try RunningProgram.run(try Programs.begat(), words.split(separator: " ").map(String.init))
    }
    let (first, other) = (try run(behind), try run(before))
    #expect(first.status == .exited(code: 0) && first.output.text == other.output.text)
    #expect(!first.output.text.isEmpty && first.errors.text.isEmpty)
  }

  @Test func errorsNameTheirCommand() throws {
    let family = try runBegat("get", "-6", "127.0.0.1", "/")
    #expect(family.status == .exited(code: 1) && family.errors.text == "begat get: /: 127.0.0.1:80: no IPv6 address\n")
    let top = try runBegat("top", "--control", "/nowhere")
    #expect(top.status == .exited(code: 1) && top.errors.text.hasPrefix("begat top: no begatd answers at /nowhere"))
    let directory = try TemporaryDirectory()
    let file = try directory.write(SampleConfiguration.service("echo"), to: "begatd.toml")
    let full = try RunningProgram.run(
      try Programs.tool("sh"), ["-c", "\"$0\" check '\(file)' > /dev/full", try Programs.begat()])
    #expect(full.errors.text == "begat check: write standard output: No space left on device\n", "\(full.errors.text)")
  }

  @Test(arguments: ["interact --log $N -- true", "sem show ./$N", "signature --fifo $N", "check $N"])
  func aNameThatIsNotUTF8MeansNoOtherFile(words: String) throws {
    let directory = try TemporaryDirectory()
    let script = "cd '\(directory.path)'; N=$'n\\xff'; \"$0\" \(words)"
    let refused = try RunningProgram.run(try Programs.tool("bash"), ["-c", script, try Programs.begat()])
    #expect(refused.status == .exited(code: 64), "\(refused.errors.text)")
    #expect(refused.errors.text.contains("n\\xff: is not UTF-8"), "\(refused.errors.text)")
    #expect(try directory.names() == [])
  }

  @Test func everyCommandHasHelpAndAPlaceInTheManual() throws {
    let page = try RunningProgram.tool("mandoc", ["-T", "utf8", "\(Programs.package)/man/begat.1"]).output.text
      // A letter struck twice is a bold one.
      .replacing(/.\u{8}/, with: "")
    func commands(in help: RunningProgram) -> [String] {
      help.output.lines
        .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  -") && !$0.hasPrefix("  See") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
    }
    let all = try commands(in: runBegat("--help"))
    #expect(all.count == 28)
    for command in all {
      let help = try runBegat(command, "--help")
      #expect(help.status == .exited(code: 0) && help.output.text.contains("OVERVIEW: "))
      #expect(page.contains("begat \(command)"), "\(command) is not in the manual")
      let inner = help.output.text.contains("SUBCOMMANDS:") ? commands(in: help) : []
      #expect(inner.isEmpty == !["export", "sem", "shm"].contains(command))
      for name in inner {
        // `begat shm write | shm read` stands in one line.
        #expect(page.contains(" \(command) \(name)"), "\(command) \(name) is not in the manual")
      }
    }
  }
}
