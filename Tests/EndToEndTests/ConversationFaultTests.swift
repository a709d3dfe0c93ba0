import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// What goes wrong in a conversation and must not hold `begat pipe` and `begat interact` for ever.
@Suite(.timeLimit(.minutes(30)))
struct ConversationFaultTests {
  static let commands = ["pipe", "interact"]

  private func makeFIFO(in directory: borrowing TemporaryDirectory) throws -> String {
    let path = directory.path("fifo")
    try #require(mkfifo(path, 0o600) == 0)
    return path
  }

  /// Waits until nothing moves any more.
  private func awaitRest(of process: pid_t) -> Bool {
    var count = 0
    return eventually(within: .seconds(10)) {
      count = ProcessFacts(process)?.state == "S" ? count + 1 : 0
      return count == 20
    }
  }

  @Test(arguments: commands)
  func aFileToSendMayBeAFIFO(command: String) throws {
    let directory = try TemporaryDirectory()
    let fifo = try makeFIFO(in: directory)
    let late = try runBegat(command, "--timeout", "300ms", "--send-file", fifo, "--", "cat")
    #expect(late.status == .exited(code: 1))
    #expect(
      late.errors.text == "begat \(command): step 1, --send-file \(fifo): it has not come to its end after 300ms\n")
    let ended = try startBegat(command, "--timeout", "60", "--send-file", fifo, "--", "cat")
    #expect(awaitRest(of: ended.process))
    try ended.send(.terminate)
    #expect(try ended.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
    let writer = try RunningProgram(try Programs.tool("sh"), ["-c", "echo fed > \"$0\"", fifo])
    let fed = try runBegat(command, "--send-file", fifo, "--line", "--", "cat")
    #expect(fed.status == .exited(code: 0) && fed.output.lines.allSatisfy { $0.hasPrefix("fed") })
    try writer.awaitEnd()
  }

  @Test(arguments: [["pipe", "--errors"], ["interact", "--log"]])
  func aFileToWriteMayBeAFIFOThatNobodyReads(words: [String]) throws {
    let directory = try TemporaryDirectory()
    let fifo = try makeFIFO(in: directory)
    let program = try RunningProgram(try Programs.begat(), words + [fifo, "--", "cat"])
    #expect(awaitRest(of: program.process))
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
  }

  @Test func aFullLogHoldsNoSignalUp() throws {
    let directory = try TemporaryDirectory()
    let fifo = try makeFIFO(in: directory)
    let reader = try Descriptor.open(fifo, .readWrite)
    let program = try startBegat("interact", "--no-input", "--log", fifo, "--", "yes")
    #expect(eventually(within: .seconds(10)) { !reader.wait(for: .writable, until: UnixCore.Deadline.immediate) })
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
  }

  @Test func aLogThatNobodyReadsAnyMoreIsSaid() throws {
    let directory = try TemporaryDirectory()
    let fifo = try makeFIFO(in: directory)
    for arguments in [["--no-input"], ["--send-file", "/dev/zero"]] {
      let head = try RunningProgram(try Programs.tool("head"), ["-c", "10", fifo])
      let program = try RunningProgram.run(
        try Programs.begat(), ["interact", "--log", fifo] + arguments + ["--", "yes"])
      #expect(program.status == .exited(code: 1))
      #expect(program.errors.lines.last == "begat interact: write \(fifo): Broken pipe")
      try head.awaitEnd()
    }
  }

  /// Sixty letters take a search of this longer than anybody lives.
  @Test(arguments: commands)
  func aRegexThatNeverEndsIsGivenUp(command: String) throws {
    let text = String(repeating: "a", count: 60)
    let words = [command, "--expect-regex", "(a*)*b", "--timeout"]
    let rest = ["--", "sh", "-c", "echo \(text); exec sleep 1000"]
    let late = try RunningProgram.run(try Programs.begat(), words + ["300ms"] + rest)
    #expect(late.status == .exited(code: 1) && late.errors.text.contains("it has not come after 300ms"))
    let ended = try RunningProgram(try Programs.begat(), words + ["60"] + rest)
    #expect(ended.output.wait(within: .seconds(10)) { $0.contains(text) })
    try ended.send(.terminate)
    #expect(try ended.awaitEnd() == .killed(by: .terminate, dumpedCore: false))
  }

  /// A terminal says that there is room when less than a piece fits in.
  @Test func aTerminalThatNobodyReadsHoldsNoSignalUp() throws {
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    let settings = try TerminalSettings(of: side)
    var program = Program(
      path: try Programs.begat(), arguments: ["interact", "--", "yes"],
      environment: .init(entries: RunningProgram.environment))
    program.controlsTerminal = true
    let number = side.number
    let child = try program.spawn(
      input: .descriptor(number), output: .descriptor(number), errors: .descriptor(number))
    var byte: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &byte) { try terminal.controlling.read(into: $0) }
    #expect(count == 1 && awaitRest(of: child.process))
    child.send(.terminate)
    #expect(child.status(until: UnixCore.Deadline(after: .seconds(10))) == .killed(by: .terminate, dumpedCore: false))
    #expect(try TerminalSettings(of: side) == settings)
  }

  @Test(arguments: commands)
  func aStepsTimeIsUpThoughNobodyReads(command: String) throws {
    let ends = try PipeEnds()
    let shell = try RunningProgram(
      try Programs.tool("bash"),
      ["-c", "\"$0\" \"$1\" --timeout 300ms --expect zzz -- yes >&3; echo $?", try Programs.begat(), command],
      passing: [ends.writeEnd.number])
    try shell.awaitEnd()
    #expect(shell.output.text == "1\n")
    #expect(
      shell.errors.text
        == "begat \(command): step 1, --expect \"zzz\": no process reads standard output, and 300ms are over\n")
  }

  @Test func aLineIsLabelledThoughItIsQuiet() throws {
    let program = try runBegat(
      "pipe", "--quiet", "--label", "--line", "--expect", "c", "--", "printf", "a\\nb\\nc")
    #expect(program.output.text == "out: a\n" && program.status == .exited(code: 0))
    var terminal = try TerminalConversation(
      Program(
        path: try Programs.begat(),
        arguments: ["pipe", "--no-input", "--quiet", "--label", "--line", "--", "printf", "\\033[2J\\n"],
        environment: .init(entries: RunningProgram.environment)))
    let shown = try terminal.expect("out: \\x1b[2J\r\n", until: UnixCore.Deadline(after: .seconds(10)))
    #expect(shown.before == [])
  }

  @Test func manyErrorsAreNoLongLine() throws {
    let program = try runBegat(
      "pipe", "--label", "--line", "--", "perl", "-e",
      "$| = 1; print STDERR 'e' x 99, \"\\n\" for 1..10000; print \"line\\n\"")
    #expect(program.status == .exited(code: 0) && program.errors.text == "")
    #expect(program.output.lines(containing: "out: line").count == 1)
  }

  @Test func whatWasSentIsNotInTheFailure() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("se cret line\n", to: "answers")
    let program = try RunningProgram.run(
      try Programs.begat(),
      [
        "interact", "--quiet", "--timeout", "300ms", "--send-environment", "WORD", "--send", "\\n", "--send-file", file,
        "--expect", "no", "--", "sleep", "1000",
      ], environment: ["WORD=pass word"])
    #expect(program.status == .exited(code: 1))
    #expect(
      program.errors.text == "begat interact: step 4, --expect \"no\": it has not come after 300ms; last came: "
        + "\"[sent]\\x0d\\x0a[sent]\\x0d\\x0a\"\n")
  }

  @Test(arguments: commands)
  func wordsOfTheCommandLineAreMadePrintable(command: String) throws {
    for words in [["--send", "\u{1b}[2J\\q"], ["--expect-regex", "\u{1b}[2J("]] {
      let program = try RunningProgram.run(try Programs.begat(), [command] + words + ["--", "cat"])
      #expect(program.status == .exited(code: 64) && program.errors.text.contains("\\x1b[2J"))
      #expect(!program.errors.bytes.contains(0x1b))
    }
  }
}
