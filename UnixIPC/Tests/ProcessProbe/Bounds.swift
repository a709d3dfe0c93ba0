import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// Bounds that must hold whatever the other side does, and values at the edge of what a type can say.
let boundSubcommands: Subcommands = [
  "bound-wait": childIsNotLostAtADeadline,
  "bound-capture-late": captureIsLateInATimeLimit,
  "bound-signal-wait": timeLimitEndsAWaitForSignals,
  "bound-terminal": timeLimitEndsATerminalsSilence,
  "bound-semaphore": timeLimitEndsAWaitForAMaker,
  "bound-connect": timeLimitEndsAWaitForABacklog,
  "bound-race": timeLimitEndsARace,
  "bound-inquiry": timeLimitEndsAnInquiry,
  "bound-busy": busyWriterDoesNotHoldADeadline,
  "bound-busy-reader": busyReaderDoesNotHoldADeadline,
  "bound-long-line": longLineIsLookedAtOnce,
  "bound-numbers": numbersAtTheEdgeTrapNowhere,
  "bound-buffer": bufferWithoutLimitIsOne,
  "bound-nul": textWithNULIsNoArgument,
  "bound-null-streams": nullStreamsStayOpen,
  "bound-mask": timeLimitLeavesTheMaskOfItsBody,
  "bound-timers": refusedTimeLimitLeavesNoDeadline,
  "bound-forks": forkedProcessesHaveNoDeadline,
  "bound-finish": finishWaitsForTheProgramAlone,
  "bound-closed-output": inputGoesOnAfterTheOutput,
  "bound-environment": environmentMayBeNone,
  "bound-poll": refusedPollIsAnError,
  "bound-queue": refusedQueueBlocksNothing,
  "bound-interaction": fullOutputIsWaitedFor,
  "bound-kept": keptNumbersMayBeAny,
]

/// Runs the body in a time limit; fails when it was not ended by it.
private func expectEnded(_ what: String, after limit: Duration = .milliseconds(50), _ body: () throws -> Void) throws {
  Alarm.set(after: .seconds(15))
  let start = SystemClock.monotonic()
  do {
    try withDeadline(after: limit, body)
  } catch let error as SystemCallError {
    try expectEqual(error.code, .timedOut, what)
  }
  let time = SystemClock.monotonic() - start
  try expect(time >= limit.nanoseconds, "\(what): ended after \(time) ns already")
}

func childIsNotLostAtADeadline(_ words: [String]) throws {
  for _ in 0..<20 {
    try expectEnded("waiting for a child", after: .milliseconds(5)) {
      let child = try Program(path: "/bin/sleep", arguments: ["50"]).spawn(descriptors: [0, 1, 2])
      _ = try child.waitForExit()
      throw Wrong(description: "it has ended")
    }
    try expectNoChild()
    try withDeadline(Deadline(instant: 1)) {
      let child = try Program(path: "/bin/sleep", arguments: ["50"]).spawn(descriptors: [0, 1, 2])
      try expect(!child.terminate().isSuccess, "it ended by itself")
    }
    try expectNoChild()
  }
}

func captureIsLateInATimeLimit(_ words: [String]) throws {
  for _ in 0..<20 {
    let late = try withDeadline(after: .milliseconds(20)) {
      try shell("echo begun; exec sleep 50").capture(limit: 100)
    }
    try expect(late.ending == .timedOut, "\(late.ending)")
    try expectNoChild()
  }
}

func timeLimitEndsAWaitForSignals(_ words: [String]) throws {
  let signals = SignalSet(.user1)
  signals.block()
  try expectEnded("SignalSet.wait") { try expect(signals.wait() == nil, "one came") }
  try SignalQueue.with(signals) { queue in
    try expectEnded("SignalQueue.next") { try expect(queue.next() == nil, "one came") }
  }
}

func timeLimitEndsATerminalsSilence(_ words: [String]) throws {
  var silent = try TerminalConversation(Program(path: "/bin/sleep", arguments: ["50"]))
  try expectEnded("TerminalConversation.read") { _ = try silent.read() }
  try expectEnded("TerminalConversation.awaitEnd") { _ = try silent.waitForExit() }
  try expectEnded("TerminalConversation.expect") {
    let failure = failure { () throws(ConversationError) in try silent.expect("x") }
    guard case .timedOut = failure else { throw Wrong(description: "\(String(describing: failure))") }
  }
  let input = try PipeEnds()
  let output = try PipeEnds()
  try expectEnded("TerminalConversation.interact") {
    _ = try silent.interact(input: input.readEnd, output: output.writeEnd)
    throw Wrong(description: "the interaction ended")
  }
  _ = consume input
  _ = consume output
}

func timeLimitEndsAWaitForAMaker(_ words: [String]) throws {
  let key = SystemVKey(rawValue: 0x6265_0000 | (getpid() & 0xffff))
  // A maker that has died between its first call and its second.
  let unmade = semget(key.rawValue, 1, 0o1000 | 0o600)
  try expect(unmade != -1, "semget: \(errno)")
  let set = try SemaphoreSet(identifier: unmade)
  defer { try? set.remove() }
  try expectEnded("SemaphoreSet.open") { _ = try SemaphoreSet.open(key, until: .never) }
}

func timeLimitEndsAWaitForABacklog(_ words: [String]) throws {
  let address = SocketAddress.unixAbstract(Array("begat-bound-\(getpid())".utf8))
  let listener = try ListeningSocket(address, backlog: 0)
  let first = try ClientSocket.connect(to: address)
  try expectEnded("ClientSocket.connect") {
    _ = try ClientSocket.connect(to: address)
    throw Wrong(description: "there was room")
  }
  withExtendedLifetime(listener) {}
  withExtendedLifetime(first) {}
}

/// Its datagrams and connections go nowhere: a socket that nobody reads.
private func withSilentHost(_ body: (SocketAddress) throws -> Void) throws {
  let address = SocketAddress.unixAbstract(Array("begat-silent-\(getpid())".utf8))
  let socket = try DatagramSocket(address)
  try body(address)
  withExtendedLifetime(socket) {}
}

func timeLimitEndsAnInquiry(_ words: [String]) throws {
  try withSilentHost { address in
    let inquiry = DatagramInquiry(question: [1])
    try expectEnded("DatagramInquiry.ask") {
      try expectEqual(inquiry.ask([address], until: .never), [.silent], "outcomes")
    }
  }
}

func timeLimitEndsARace(_ words: [String]) throws {
  guard let any = SocketAddress("127.0.0.1:0") else { throw Wrong(description: "no address") }
  let listener = try ListeningSocket(any, backlog: 0)
  guard let address = try listener.descriptor.localAddress().address else { throw Wrong(description: "no port") }
  // The backlog takes one or two; then the kernel drops what comes, and nothing is decided.
  var waiting: [CInt] = []
  for _ in 0..<4 { waiting.append(try ClientSocket.start(to: address).release()) }
  defer { for number in waiting { close(number) } }
  try expectEnded("ClientSocket.connect(toFirstOf:)", after: .milliseconds(600)) {
    do {
      _ = try ClientSocket.connect(toFirstOf: [address, address])
      throw Wrong(description: "one was taken")
    } catch let error as ConnectionError {
      try expectEqual(error.failures.map(\.code), [.timedOut, .timedOut], "reasons")
    }
  }
  withExtendedLifetime(listener) {}
}

private func expectLate<Value: ~Copyable>(_ what: String, _ body: () throws(SystemCallError) -> Value) throws {
  try expectEqual(failure(of: body)?.code, .timedOut, what)
}

func busyWriterDoesNotHoldADeadline(_ words: [String]) throws {
  let much = 1 << 28
  let zeros = try Descriptor.open("/dev/zero", .readOnly)
  try expectLate("Descriptor.readToEnd") { () throws(SystemCallError) in
    try zeros.readPrefix(much, until: Deadline(after: .milliseconds(5)))
  }
  var reader = BufferedReader(zeros)
  try expectLate("BufferedReader.readToEnd") { () throws(SystemCallError) in
    try reader.readToEnd(limit: much, until: Deadline(after: .milliseconds(5)))
  }
  reader.dropWaiting()
  try expectLate("BufferedReader.readLine") { () throws(SystemCallError) in
    try reader.readLine(limit: much, until: Deadline(after: .milliseconds(5)))
  }
  reader.dropWaiting()
  try expectEnded("BufferedReader.readToEnd in a time limit", after: .milliseconds(5)) {
    _ = try reader.readToEnd(limit: much)
  }
  // What is there is read at a deadline that has passed.
  reader.dropWaiting()
  try expect(try reader.fill(until: Deadline(instant: 1)), "nothing was read")

  let endless = Program(path: "/usr/bin/tr", arguments: ["\\0", "x"])
  let input = try Descriptor.open("/dev/zero", .readOnly)
  var writer = try endless.openForReading(input: .descriptor(input.number))
  try expectLate("ChildOutput") { () throws(SystemCallError) in
    try writer.readToEnd(limit: much, until: Deadline(after: .milliseconds(20)))
  }
  let late = try Program(path: "/bin/cat", arguments: ["/dev/zero"]).capture(
    limit: much, until: Deadline(after: .milliseconds(20)))
  try expect(late.ending == .timedOut, "\(late.ending) after \(late.output.count) bytes")
  var talker = try Conversation(with: Program(path: "/bin/cat", arguments: ["/dev/zero"]))
  let found = failure { () throws(SystemCallError) in
    _ = try talker.readLine(until: Deadline(after: .milliseconds(20)))
  }
  try expectEqual(found?.code, .timedOut, "Conversation.readLine")
  let sent = failure { () throws(SystemCallError) in
    try talker.send([UInt8](repeating: 1, count: 1 << 20), until: Deadline(after: .milliseconds(20)))
  }
  try expectEqual(sent?.code, .timedOut, "Conversation.send")
}

func busyReaderDoesNotHoldADeadline(_ words: [String]) throws {
  let reader = try shell("exec cat >/dev/null").openForWriting()
  let bytes = [UInt8](repeating: 0, count: 1 << 28)
  try expectLate("ChildInput.write") { () throws(SystemCallError) in
    try reader.write(bytes, until: Deadline(after: .milliseconds(5)))
  }
}

func longLineIsLookedAtOnce(_ words: [String]) throws {
  func time(_ megabytes: Int) throws -> Int {
    let script = "dd if=/dev/zero bs=65536 count=\(16 * megabytes) 2>&-"
    var program = try Conversation(with: shell(script))
    let start = clock()
    try expectEqual(program.readLine()?.count, megabytes << 20, "the line")
    return clock() - start
  }
  // Four times as long, four times the work; sixteen times when each piece has all of it looked at again.
  let (short, long) = (try time(4), try time(16))
  try expect(long < short * 9, "16 MiB took \(long) us, 4 MiB \(short) us")
}

func timeLimitLeavesTheMaskOfItsBody(_ words: [String]) throws {
  try withDeadline(after: .seconds(30)) { SignalSet(.user1).block() }
  try expect(SignalSet.blocked.contains(.user1), "what the body blocked is blocked no more")
  SignalSet.all.block()
  let before = SignalSet.blocked
  try withDeadline(after: .seconds(30)) {}
  try expectEqual(SignalSet.blocked, before, "the mask")
}

func refusedTimeLimitLeavesNoDeadline(_ words: [String]) throws {
  SignalSet(.user1).block()
  let (_, hard) = try ResourceLimit.pendingSignals.current()
  try ResourceLimit.pendingSignals.set(soft: 0, hard: hard)
  do {
    try withDeadline(after: .seconds(30)) {}
    throw Wrong(description: "there was a timer")
  } catch let error as SystemCallError {
    try expectEqual(error, SystemCallError("timer_create", code: .wouldBlock), "the refusal")
  }
  try expectEqual(Deadline.current, .never, "the thread's deadline")
  try expect(SignalSet.blocked.contains(.user1), "the mask was changed")
}

func forkedProcessesHaveNoDeadline(_ words: [String]) throws {
  try withDeadline(after: .seconds(30)) {
    switch try ForkedProcess.fork(exitSignal: .child) {
    case .child: ProcessControl.exitImmediately(status: Deadline.current == .never ? 0 : 3)
    case .parent(let child): try expectEqual(Children.wait(for: child), .exited(code: 0), "of forkProcess")
    }
    let starter = try ForkedProcess.run {
      try withDeadline(after: .seconds(30)) {
        let starter = try Daemon.detach()
        starter.release(status: Deadline.current == .never ? 0 : 3)
        ProcessControl.exitImmediately(status: 0)
      }
    }
    try expectEqual(starter.waitForExit(), .exited(code: 0), "of Daemon")
  }
}

func fullOutputIsWaitedFor(_ words: [String]) throws {
  var program = try TerminalConversation(shell("printf ab; exec sleep 50"))
  try program.expect("a")
  let input = try PipeEnds()
  try input.writeEnd.writeAll("\u{1d}")
  let output = try PipeEnds()
  try output.writeEnd.setNonBlocking(true)
  let piece = [UInt8](repeating: 0, count: 4096)
  while (try? piece.withUnsafeBytes { try output.writeEnd.write($0) }) != nil {}
  let start = clock()
  try expectEnded("an interaction that is left", after: .milliseconds(500)) {
    _ = try program.interact(input: input.readEnd, output: output.writeEnd)
    throw Wrong(description: "it was left before all was shown")
  }
  try expect(clock() - start < 300_000, "it took \(clock() - start) us of a processor")
  _ = consume input
  _ = consume output
}
