import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let reapingSubcommands: Subcommands = [
  "reap-ignored": statusOfIgnoredChildrenIsUnknown,
  "reap-other": statusReapedElsewhereIsUnknown,
  "reap-owned": reaperSparesOwnedChildren,
  "reap-owned-waiting": reaperWaitsBehindOwnedChildren,
  "own-others": onlyChildrenAreOwned,
  "wait-deadline": waitsAreBoundedAndRepeated,
  "child-set": childrenAreKeptTogether,
  "child-set-ended": childrenEndTogether,
]

/// As a process whose starter ignored SIGCHLD.
func statusOfIgnoredChildrenIsUnknown(_ words: [String]) throws {
  Signal.child.ignore()
  try expectEqual(shell("exit 3").run(), .unknown, "run")
  let capture = try shell("echo said; exit 3").capture(limit: 100)
  try expectEqual(capture.string, "said\n", "what a capture has")
  try expectEqual(capture.status, .unknown, "its status")
  try expect(!capture.isSuccess && capture.ending == .complete, "\(capture)")
  try expectEqual(Pipeline(shell("echo x"), shell("cat >/dev/null")).run(), [.unknown, .unknown], "a pipeline")
  var output = try shell("echo line").openForReading()
  try expectEqual(text(output.readLine()), "line", "what is read")
  try expectEqual(output.close(), .unknown, "its status")
  var talk = try Conversation(with: Program(path: "/bin/cat"))
  try talk.send("word\n")
  try expectEqual(text(talk.readLine()), "word", "a conversation")
  try expectEqual(talk.close(), .unknown, "its status")
  var terminal = try TerminalConversation(shell("echo shown"))
  try expectEqual(terminal.waitForExit(until: Deadline(after: .seconds(20))), .unknown, "on a terminal")
  try expectEqual(ForkedProcess.run { 7 }.waitForExit(), .unknown, "a forked process")
  // One that is gone before its owner looks at it, and one that is ended.
  for _ in 0..<50 { try expectEqual(Program(path: "/bin/true").spawn().status(), .unknown, "a short one") }
  try expectEqual(shell("sleep 50").spawn().terminate(), .unknown, "one that is ended")
  try nothingToReap([])
}

func statusReapedElsewhereIsUnknown(_ words: [String]) throws {
  let child = try shell("exit 3").spawn()
  try expectEqual(waitpid(child.process, nil, 0), child.process, "another reaper")
  for _ in 0..<3 { try expectEqual(child.status(), .unknown, "its status") }
  child.send(.kill)
  try expectEqual(child.terminate(), .unknown, "its end")

  var output = try shell("echo kept; exit 3").openForReading()
  let number = output.processes.processes[0]
  try expectEqual(waitpid(number, nil, 0), number, "another reaper")
  try expectEqual(text(output.readLine()), "kept", "what it wrote")
  try expectEqual(output.close(), .unknown, "its status")
}

func reaperSparesOwnedChildren(_ words: [String]) throws {
  let owned = try shell("exit 3").spawn()
  try expect(owned.handle.waitForExit(until: Deadline(after: .seconds(20))), "it lives")
  let nothing = failure { () throws(SystemCallError) in try Children.reapAll() }
  try expectEqual(nothing?.code, .noChildProcess, "with owned ones only")
  try expectEqual(Children.peekAny(), nil, "an owned one that is shown")

  let strangers = try (4...6).map { code in try ForkedProcess.run { CInt(code) }.release() }
  for stranger in strangers { try expect(try Children.waitForExit(of: stranger), "\(stranger) lives") }
  let reaped = try Children.reapAll()
  try expectEqual(Set(reaped.map(\.process)), Set(strangers), "reaped")
  try expectEqual(Set(reaped.map(\.status)), Set((4...6).map { .exited(code: $0) }), "statuses")
  try expectEqual(owned.waitForExit(), .exited(code: 3), "the owned one")
  try nothingToReap([])
}

/// An owned child that has ended hides those behind it from waitid(2).
func reaperWaitsBehindOwnedChildren(_ words: [String]) throws {
  let owned = try shell("exit 3").spawn()
  try expect(owned.handle.waitForExit(until: Deadline(after: .seconds(20))), "it lives")
  let gate = try PipeEnds()
  let number = gate.readEnd.number
  let stranger = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [number])) {
    try Descriptor.withBorrowed(number) { _ = try readBytes(1, from: $0) }
    return 8
  }.release()
  try expectEqual(Children.reapAll(until: Deadline(after: .milliseconds(50))).count, 0, "before its end")
  try gate.writeEnd.writeAll("x")
  let reaped = try Children.reapAll(until: Deadline(after: .seconds(20)))
  try expectEqual(reaped.map(\.process), [stranger], "reaped")
  try expectEqual(owned.waitForExit(), .exited(code: 3), "the owned one")
  try expectEqual(
    failure { () throws(SystemCallError) in try Children.reapAll(until: .never) }?.code, .noChildProcess, "none")
}

func onlyChildrenAreOwned(_ words: [String]) throws {
  // A grandchild, which is a stranger.
  var middle = try shell("sleep 50 & echo $!; wait").openForReading()
  guard let stranger = try text(middle.readLine()).flatMap({ pid_t($0) }) else { throw Wrong(description: "no number") }
  for process in [stranger, getpid(), 1, 0, -1, pid_t.max] {
    let refused = failure { () throws(SystemCallError) in try ChildProcess(owning: process) }
    try expectEqual(refused?.code, .noChildProcess, "owning \(process)")
  }
  try expectEqual(kill(stranger, 0), 0, "the stranger")
  try Signal.kill.send(to: stranger)
  middle.terminate()

  let child = try shell("exit 3").spawn()
  let twice = failure { () throws(SystemCallError) in try ChildProcess(owning: child.process) }
  try expectEqual(twice?.code, ErrorCode.resourceBusy, "a second owner")
  let number = child.release()
  try expectEqual(ChildProcess(owning: number).waitForExit(), .exited(code: 3), "the next owner")
  try nothingToReap([])
}

/// Every wait ends at a deadline, its own or the thread's, and its owner is as before.
func waitsAreBoundedAndRepeated(_ words: [String]) throws {
  func isLate(_ what: String, _ wait: () throws -> ExitStatus) throws {
    do { throw Wrong(description: "\(what): \(try wait())") } catch let error as SystemCallError {
      try expectEqual(error.code, .timedOut, what)
    }
  }
  let soon = Deadline(after: .milliseconds(20))
  let child = try shell("sleep 50").spawn()
  try isLate("a child") { try child.waitForExit(until: soon) }
  try isLate("a child, in withDeadline") { try withDeadline(soon) { try child.waitForExit() } }
  try expectEqual(child.status(until: soon), nil, "its status")
  try expectEqual(child.terminate(), .killed(by: .terminate, dumpedCore: false), "its end")

  var output = try shell("exec sleep 50").openForReading()
  try isLate("a reader") { try withDeadline(soon) { try output.close() } }
  try isLate("a reader, again") { try output.close(until: soon) }
  try expectEqual(output.terminate(), [.killed(by: .terminate, dumpedCore: false)], "its end")
  let closed = failure { () throws(SystemCallError) in try output.readLine() }
  try expectEqual(closed?.code, ErrorCode.badFileDescriptor, "reading after that")

  var input = try shell("exec sleep 50").openForWriting()
  try isLate("a writer") { try input.close(until: soon) }
  try expectEqual(input.terminate(), [.killed(by: .terminate, dumpedCore: false)], "its end")
  var talk = try Conversation(with: shell("exec yes"))
  try isLate("a conversation") { try talk.close(until: soon) }
  try isLate("a conversation, in withDeadline") { try withDeadline(soon) { try talk.close() } }
  try expectEqual(talk.terminate(), .killed(by: .terminate, dumpedCore: false), "its end")
  try isLate("run") { try shell("exec sleep 50").run(until: soon) }
  try isLate("a pipeline") { try Pipeline(shell("exec sleep 50"), shell("exec cat")).run(until: soon)[0] }
  try isLate("by number") {
    let number = try shell("exec sleep 50").spawn().release()
    defer { try? Signal.kill.send(to: number) }
    return try Children.wait(for: number, until: soon)
  }
  let cancellation = try Cancellation()
  cancellation.cancel()
  let cancelled = failure { () throws(SystemCallError) in try shell("exec sleep 50").run(cancelledBy: cancellation) }
  try expectEqual(cancelled?.code, .canceled, "run, cancelled")
  while waitpid(-1, nil, 0) > 0 {}
  try nothingToReap([])
}

func childrenAreKeptTogether(_ words: [String]) throws {
  var workers = ChildProcesses()
  try expect(workers.waitForAny() == nil, "an ended one of none")
  for code in 1...5 { workers.add(try shell("exit \(code)").spawn()) }
  let numbers = Set(workers.processes)
  var codes: Set<ExitStatus> = []
  var ended: Set<pid_t> = []
  while let one = try workers.waitForAny(until: Deadline(after: .seconds(20))) {
    codes.insert(one.status)
    ended.insert(one.process)
  }
  try expectEqual(codes, Set((1...5).map { .exited(code: $0) }), "statuses")
  try expectEqual(ended, numbers, "numbers")
  try expect(workers.isEmpty, "\(workers.count) are left")
  for code in 1...3 { workers.add(try shell("exit \(code)").spawn()) }
  try expectEqual(workers.waitForAll().map(\.status), (1...3).map { .exited(code: $0) }, "all")
  try nothingToReap([])
}

func childrenEndTogether(_ words: [String]) throws {
  var workers = ChildProcesses()
  for _ in 0..<3 { workers.add(try shell("exec sleep 50").spawn()) }
  let stubborn = try shell("trap '' TERM; echo; while :; do sleep 1; done").openForReading()
  let late = failure { () throws(SystemCallError) in try workers.waitForAny(until: Deadline(after: .milliseconds(20))) }
  try expectEqual(late?.code, .timedOut, "none has ended")
  try expect(workers.send(.kill, to: workers.processes[1]), "a signal to one")
  try expect(!workers.send(.kill, to: 1), "a signal to another")
  let statuses = workers.terminate().map(\.status)
  let terminated = ExitStatus.killed(by: .terminate, dumpedCore: false)
  try expectEqual(statuses, [terminated, .killed(by: .kill, dumpedCore: false), terminated], "statuses")
  _ = consume stubborn
  do {
    var dropped = ChildProcesses()
    for _ in 0..<3 { dropped.add(try shell("exec sleep 50").spawn()) }
  }
  try nothingToReap([])
}
