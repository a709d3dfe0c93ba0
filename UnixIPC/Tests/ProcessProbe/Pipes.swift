import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let pipeSubcommands: Subcommands = [
  "pipe-reading": programIsReadFrom,
  "pipe-writing": programIsWrittenTo,
  "pipe-dead-reader": deadReaderIsAnError,
  "pipe-missing": missingProgramIsAnErrorOfThePipe,
  "pipe-stages": everyStageHasAStatus,
  "pipe-stage-missing": missingStageLeavesNobody,
  "capture": outputIsCaptured,
  "capture-bounds": captureKeepsItsBounds,
  "conversation": conversationGoesLineByLine,
  "conversation-large": conversationOfAnySize,
  "conversation-three": conversationOverThreePipes,
  "conversation-ends": conversationEndsWithItsProgram,
  "pipe-detached": detachedProgramIsNobodysChild,
  "pipe-descriptors": pipesLeaveNoDescriptor,
]

func programIsReadFrom(_ words: [String]) throws {
  var netstat = try shell("echo tcp one; echo two; printf three").openForReading()
  var lines: [String] = []
  while let line = try text(netstat.readLine()) { lines.append(line) }
  try expectEqual(lines, ["tcp one", "two", "three"], "lines")
  try expectEqual(netstat.close(), .exited(code: 0), "status")

  var failing = try shell("echo said; exit 3").openForReading()
  try expectEqual(text(failing.readLine()), "said", "line")
  try expectEqual(failing.close(), .exited(code: 3), "status of one that fails")
  // Whoever reads no further need not wait for an endless writer.
  var endless = try Program(path: "/usr/bin/yes").openForReading()
  try expectEqual(text(endless.readLine()), "y", "line")
  try expectEqual(endless.close(), .killed(by: .brokenPipe, dumpedCore: false), "status of one that is cut off")
  var slow = try shell("echo; exec sleep 50").openForReading()
  try expectEqual(text(slow.readLine()), "", "line")
  try expectEqual(slow.terminate(), [.killed(by: .terminate, dumpedCore: false)], "status of one that is ended")
  try nothingToReap([])
}

func programIsWrittenTo(_ words: [String]) throws {
  let result = try PipeEnds()
  let reading = result.readEnd
  let writing = result.writeEnd
  var spooler = try shell("wc -c; exit 4").openForWriting(output: .descriptor(writing.number))
  _ = consume writing
  let piece = [UInt8](repeating: 7, count: 300_000)
  try spooler.write(piece)
  try spooler.write("stuff\n", until: Deadline(after: .seconds(20)))
  try expectEqual(spooler.close(), .exited(code: 4), "status")
  try expectEqual(text(reading.readPrefix(100)), "300006\n", "bytes that arrived")

  var idle = try shell("exec sleep 50").openForWriting()
  let late = failure { () throws(SystemCallError) in try idle.write(piece, until: Deadline(after: .milliseconds(20))) }
  try expectEqual(late?.code, .timedOut, "writing to one that does not read")
  try expectEqual(idle.terminate(), [.killed(by: .terminate, dumpedCore: false)], "status of one that is ended")

  // The end of their input comes after the signal.
  let cat = Program(path: "/bin/cat")
  for _ in 0..<50 {
    var copying = try cat.openForWriting()
    try expectEqual(copying.terminate(), [.killed(by: .terminate, dumpedCore: false)], "a reader's status")
    var talk = try Conversation(with: cat)
    try expectEqual(talk.terminate(), .killed(by: .terminate, dumpedCore: false), "a conversation's status")
  }
}

func deadReaderIsAnError(_ words: [String]) throws {
  let piece = [UInt8](repeating: 7, count: 300_000)
  for isIgnored in [false, true] {
    if isIgnored { Signal.brokenPipe.ignore() }
    var dead = try Program(path: "/bin/true").openForWriting()
    let error = failure { () throws(SystemCallError) in try dead.write(piece) }
    try expectEqual(error?.code, .brokenPipe, "writing to a dead reader")
    try expectEqual(dead.close(), .exited(code: 0), "its status")
    try expectEqual(status("SigPnd"), "0000000000000000", "pending signals")
    try expectEqual(status("SigBlk"), "0000000000000000", "blocked signals")
  }
  Signal.brokenPipe.restoreDefault()
  // What somebody else has waiting stays.
  SignalSet(.brokenPipe).block()
  raise(SIGPIPE)
  let dead = try Program(path: "/bin/true").openForWriting()
  let error = failure { () throws(SystemCallError) in try dead.write(piece) }
  try expectEqual(error?.code, .brokenPipe, "writing with SIGPIPE blocked")
  try expectEqual(status("SigPnd"), "0000000000001000", "pending signals")
}

func missingProgramIsAnErrorOfThePipe(_ words: [String]) throws {
  let bogus = Program(path: "/nowhere/bogus")
  let forReading = failure { () throws(SystemCallError) in try bogus.openForReading() }
  let forWriting = failure { () throws(SystemCallError) in try bogus.openForWriting() }
  let captured = failure { () throws(SystemCallError) in try bogus.capture(limit: 10) }
  let spoken = failure { () throws(SystemCallError) in try Conversation(with: bogus) }
  let expected = SystemCallError("execve", on: "/nowhere/bogus", code: .noSuchFileOrDirectory)
  try expectEqual([forReading, forWriting, captured, spoken], [expected, expected, expected, expected], "errors")
  try nothingToReap([])
}

func everyStageHasAStatus(_ words: [String]) throws {
  let stages = Pipeline(shell("echo a b; exit 2"), shell("cat; kill -TERM $$"), shell("tr a-z A-Z"))
  var output = try stages.openForReading()
  try expectEqual(text(output.readLine()), "A B", "what went through")
  try expectEqual(
    output.closeStages(), [.exited(code: 2), .killed(by: .terminate, dumpedCore: false), .exited(code: 0)], "statuses")
  var again = try stages.openForReading()
  while try again.readLine() != nil {}
  try expectEqual(again.close(), .killed(by: .terminate, dumpedCore: false), "the last that failed")

  let result = try PipeEnds()
  let reading = result.readEnd
  let writing = result.writeEnd
  var input = try Pipeline(Program(path: "/bin/cat", arguments: ["-v"]), shell("sed s/x/y/; exit 5"))
    .openForWriting(output: .descriptor(writing.number))
  _ = consume writing
  try input.write("x\u{1}\n")
  try expectEqual(
    input.closeStages(), [.exited(code: 0), .exited(code: 5)], "statuses of a pipeline that was written to")
  try expectEqual(text(reading.readPrefix(100)), "y^A\n", "what went through")
  try expectEqual(Pipeline(shell("exit 6"), shell("exit 7")).run(), [.exited(code: 6), .exited(code: 7)], "run")
  try expect(failure { () throws(SystemCallError) in try Pipeline([]).run() }?.code == .invalidArgument, "no program")
  try nothingToReap([])
}

func missingStageLeavesNobody(_ words: [String]) throws {
  let bogus = Program(path: "/nowhere/bogus")
  let yes = Program(path: "/usr/bin/yes")
  for stages in [[bogus, yes, yes], [yes, bogus, yes], [yes, yes, bogus]] {
    let error = failure { () throws(SystemCallError) in try Pipeline(stages).openForReading() }
    try expectEqual(error, SystemCallError("execve", on: "/nowhere/bogus", code: .noSuchFileOrDirectory), "error")
    try nothingToReap([])
  }
}

func outputIsCaptured(_ words: [String]) throws {
  let both = shell("cat; echo problem >&2; exit 3")
  let separate = try both.capture(input: "in".utf8, errors: .separate, limit: 100)
  try expectEqual(text(separate.output), "in", "output")
  try expectEqual(text(separate.errors), "problem\n", "errors")
  try expectEqual(separate.status, .exited(code: 3), "status")
  try expect(separate.ending == .complete && separate.isInputTaken && !separate.isSuccess, "\(separate.ending)")
  try expectEqual(text(both.capture(errors: .withOutput, limit: 100).output), "problem\n", "both")
  try expectEqual(text(both.capture(errors: .null, limit: 100).output), "", "nothing")

  // Larger than every pipe, both ways, and not taken by a program that wants only some of it.
  let large = [UInt8](repeating: 97, count: 3 << 20)
  let echoed = try Program(path: "/bin/cat").capture(input: large, limit: 4 << 20)
  try expect(echoed.output == large && echoed.isSuccess, "\(echoed.output.count) bytes")
  let head = try shell("exec head -c 5").capture(input: large, limit: 100)
  try expectEqual(text(head.output), "aaaaa", "head")
  try expect(!head.isInputTaken && head.isSuccess, "\(head.ending) \(head.status)")
  try nothingToReap([])
}

func captureKeepsItsBounds(_ words: [String]) throws {
  let cut = try Program(path: "/usr/bin/yes").capture(limit: 1000)
  try expectEqual(text(cut.output), String(repeating: "y\n", count: 500), "output")
  try expect(cut.ending == .outputLimit && !cut.isSuccess, "\(cut.ending)")
  let exact = try shell("printf 12345").capture(limit: 5)
  try expect(exact.ending == .complete && exact.isSuccess, "\(exact.ending)")

  let start = SystemClock.monotonic()
  let late = try shell("echo begun; exec sleep 50").capture(limit: 100, until: Deadline(after: .seconds(1)))
  try expectEqual(text(late.output), "begun\n", "output")
  try expect(late.ending == .timedOut, "\(late.ending)")
  try expectEqual(late.status, .killed(by: .terminate, dumpedCore: false), "status")
  // It has closed its output, and lives.
  let quiet = try shell("exec >&- 2>&-; sleep 50").capture(
    errors: .withOutput, limit: 100, until: Deadline(after: .milliseconds(50)))
  try expect(quiet.ending == .timedOut, "\(quiet.ending)")
  let stubborn = try shell("trap '' TERM; echo begun; while :; do sleep 1; done").capture(
    limit: 100, until: Deadline(after: .seconds(1)), gracePeriod: .milliseconds(50))
  try expectEqual(stubborn.status, .killed(by: .kill, dumpedCore: false), "status of one that ignores SIGTERM")
  try expect(SystemClock.monotonic() - start < 30_000_000_000, "it took too long")
  try nothingToReap([])
}

func detachedProgramIsNobodysChild(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  var program = shell("echo $$ $PPID; exec sleep 50")
  for identity in [nil, getuid() == 0 ? Identity(user: 65534, group: 65534) : nil] {
    program.identity = identity
    let number = try program.startDetached(output: .descriptor(writing.number))
    try nothingToReap([])
    let line = try text(readLine(from: reading)) ?? ""
    let numbers = line.split(separator: " ").compactMap { pid_t($0) }
    try expect(numbers.count == 2 && numbers[0] == number && numbers[1] != getpid(), "\(line), started as \(number)")
    let handle = try ProcessHandle(number)
    try handle.send(.kill)
    try expect(handle.waitForExit(until: Deadline(after: .seconds(20))), "it does not end")
    program.path = "/nowhere"
    let missing = failure { () throws(SystemCallError) in try program.startDetached() }
    try expectEqual(
      missing, SystemCallError("execve", on: "/nowhere", code: .noSuchFileOrDirectory), "a missing program")
    try nothingToReap([])
    program.path = "/bin/sh"
  }
}

private func readLine(from descriptor: borrowing Descriptor) throws -> [UInt8] {
  var line: [UInt8] = []
  while let byte = try descriptor.readPrefix(1, until: Deadline(after: .seconds(20))).first, byte != 10 {
    line.append(byte)
  }
  return line
}

func pipesLeaveNoDescriptor(_ words: [String]) throws {
  let before = try openDescriptors()
  for subcommand in [
    programIsReadFrom, programIsWrittenTo, missingProgramIsAnErrorOfThePipe, everyStageHasAStatus,
    missingStageLeavesNobody, forkedProcessesAreReadAndWritten, forkedProcessKeepsNoEnd, outputIsCaptured,
    conversationGoesLineByLine, conversationEndsWithItsProgram, detachedProgramIsNobodysChild,
    fileLockIsTakenAndGivenBack, deadlinesAreNested,
  ] { try subcommand([]) }
  try expectEqual(openDescriptors(), before, "descriptors")
}
