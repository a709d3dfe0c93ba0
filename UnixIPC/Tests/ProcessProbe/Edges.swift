import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

// Values at the edge of what a type can say, and calls that the kernel refuses; in the table of Bounds.swift.

func numbersAtTheEdgeTrapNowhere(_ words: [String]) throws {
  for limit in [-1, Int.min, 0] {
    let none = try shell("echo much").capture(errors: .separate, limit: limit)
    try expect(none.output.isEmpty && none.errors.isEmpty && none.ending == .outputLimit, "\(none)")
  }
  let all = try shell("echo much").capture(limit: .max)
  try expectEqual(all.output.count, 5, "of all output")
  var reader = BufferedReader(try Descriptor.open("/dev/null", .readOnly))
  reader.reserve(.min)
  reader.reserve(.max)
  try expectEqual(reader.readToEnd(limit: .max), [], "nothing")
  for limit in [Duration.seconds(-9_223_372_036) - .nanoseconds(999_999_999), .seconds(Int64.min)] {
    try expect(Deadline(after: limit).isExpired, "\(limit) is yet to come")
    try expectEqual(Deadline(after: limit).milliseconds, 0, "\(limit)")
  }
  try expectEqual(Deadline(instant: .min).remaining, .zero, "of the first instant of all")
  try expect(Deadline(instant: .max - 1).milliseconds == .max, "the last instant of all")
  let child = try Program(path: "/bin/sleep", arguments: ["50"]).spawn(descriptors: [0, 1, 2])
  try expectEqual(child.terminate(gracePeriod: .seconds(Int64.min)).isSuccess, false, "one without patience")
}

func bufferWithoutLimitIsOne(_ words: [String]) throws {
  var terminal = try TerminalConversation(shell("echo one; echo two; exec sleep 50"), bufferLimit: .max)
  try expectEqual(terminal.readLine(), Array("one".utf8), "first line")
  try expectEqual(terminal.readLine(), Array("two".utf8), "second line")
}

func textWithNULIsNoArgument(_ words: [String]) throws {
  let correct = Program(path: "/bin/true", environment: ["A=1"], directory: "/")
  let changes: [(inout Program) -> Void] = [
    { $0.path = "\($0.path)\0.txt" }, { $0.arguments.append("a\0b") }, { $0.environment = ["B=\0C=2"] },
    { $0.directory = "/\0tmp" }, { $0.arguments = ["\0"] },
  ]
  try expectEqual(correct.run(), .exited(code: 0), "without a NUL")
  for (number, change) in changes.enumerated() {
    var program = correct
    change(&program)
    let found = failure { () throws(SystemCallError) in try program.run() }
    try expectEqual(found?.code, .invalidArgument, "change \(number)")
  }
  try expectNoChild()
}

func nullStreamsStayOpen(_ words: [String]) throws {
  for closed: [CInt] in [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]] {
    let child = try ForkedProcess.run {
      for number in closed { close(number) }
      StandardStreams.redirectToNull()
      for number: CInt in 0...2 where fcntl(number, F_GETFD) != 0 { return 10 + number }
      return 0
    }
    try expectEqual(child.waitForExit(), .exited(code: 0), "with \(closed) closed")
  }
}

func environmentMayBeNone(_ words: [String]) throws {
  clearenv()
  try expectEqual(Program.Environment.inherited.entries, [], "variables")
  ProcessTitle()?.show("shown")
}

func keptNumbersMayBeAny(_ words: [String]) throws {
  let child = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [.max, -1, .min, 3])) { 0 }
  try expectEqual(child.waitForExit(), .exited(code: 0), "status")
}

func refusedQueueBlocksNothing(_ words: [String]) throws {
  let before = SignalSet.blocked
  let (_, hard) = try ResourceLimit.openFiles.current()
  try ResourceLimit.openFiles.set(soft: 3, hard: hard)
  let found = failure { () throws(SystemCallError) in try SignalQueue(SignalSet(.user1)) }
  try expectEqual(found?.code, .tooManyOpenFiles, "a queue without a descriptor")
  try expectEqual(SignalSet.blocked, before, "the mask")
}

func refusedPollIsAnError(_ words: [String]) throws {
  Alarm.set(after: .seconds(15))
  var program = try Conversation(with: shell("exec sleep 50"), errors: .separate)
  var terminal = try TerminalConversation(Program(path: "/bin/sleep", arguments: ["50"]))
  let (_, hard) = try ResourceLimit.openFiles.current()
  // poll(2) of more descriptors than a process may have is EINVAL.
  try ResourceLimit.openFiles.set(soft: 1, hard: hard)
  let found = failure { () throws(SystemCallError) in _ = try program.readLine() }
  try expectEqual(found?.code, .invalidArgument, "Conversation")
  let shown = failure { () throws(SystemCallError) in _ = try terminal.read() }
  try expectEqual(shown?.code, .invalidArgument, "TerminalConversation")
}

func inputGoesOnAfterTheOutput(_ words: [String]) throws {
  let path = "/tmp/begat-bound-\(getpid())"
  defer { unlink(path) }
  let silent = try shell("exec >&-; wc -c >\(path)").capture(input: [UInt8](repeating: 1, count: 1 << 20), limit: 100)
  try expect(silent.isInputTaken && silent.isSuccess, "\(silent)")
  let count = try Descriptor.open(path, .readOnly).readPrefix(100)
  try expectEqual(String(decoding: count, as: UTF8.self), "1048576\n", "what it was sent")
  // One that reads nothing and ends keeps nobody.
  let deaf = try shell("exec >&-; exit 3").capture(input: [UInt8](repeating: 1, count: 1 << 20), limit: 100)
  try expect(!deaf.isInputTaken && deaf.status == .exited(code: 3), "\(deaf)")
}

func finishWaitsForTheProgramAlone(_ words: [String]) throws {
  Alarm.set(after: .seconds(15))
  var program = try Conversation(with: shell("sleep 50 & echo $!"), errors: .separate)
  guard let left = try program.readLine().flatMap({ pid_t(String(decoding: $0, as: UTF8.self)) }) else {
    throw Wrong(description: "no number")
  }
  defer { try? Signal.kill.send(to: left) }
  try expectEqual(program.close(), .exited(code: 0), "status")
  // More than a pipe holds, and all of it dropped.
  var talker = try Conversation(with: shell("dd if=/dev/zero bs=65536 count=64 2>&-; exit 3"))
  try expectEqual(talker.close(), .exited(code: 3), "status of one that writes much")
}
