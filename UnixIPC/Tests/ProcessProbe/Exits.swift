import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

private let exitSignal = Signal.realTime(1)!
private let childCount = 500
private let anyKind: CInt = 0x4000_0000

/// Children that wait for each other and end all at once.
private func endTogether(_ count: Int) throws -> [pid_t] {
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let children = try (0..<count).map { _ in
    try forked(exitSignal: exitSignal) {
      close(writing.number)
      _ = try readBytes(1, from: reading)
      return 0
    }
  }
  _ = consume writing
  return children
}

func exitsTogetherAreEachAnnounced(_ words: [String]) throws {
  let queue = try SignalQueue(SignalSet(exitSignal))
  try expect(ResourceLimit.pendingSignals.raise(to: 1000) >= 1000, "the queue of signals is too short here")
  var living = Set(try endTogether(childCount))
  try expectEqual(living.count, childCount, "children")
  while !living.isEmpty {
    guard let arrival = queue.take() else {
      try expect(
        queue.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))),
        "\(living.count) exits were not announced")
      continue
    }
    try expect(arrival.isFromKernel && arrival.signal == exitSignal, "\(arrival)")
    try expect(living.remove(arrival.process) != nil, "\(arrival.process) was announced and is none of ours")
    try expectEqual(Children.reap(arrival.process), .exited(code: 0), "status")
  }
  try expect(queue.take() == nil, "more announcements than children")
  try nothingToReap([])
}

func exitsBeyondTheQueueAreFound(_ words: [String]) throws {
  let queue = try SignalQueue(SignalSet(exitSignal))
  try ResourceLimit.pendingSignals.set(soft: 10, hard: 10)
  let children = try endTogether(childCount)
  for child in children {
    var information = siginfo_t()
    try expect(waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT | anyKind) == 0, "waitid \(child)")
  }
  var announced = 0
  while queue.take() != nil { announced += 1 }
  try expect(announced < childCount, "all \(announced) exits were announced: the queue was never full")
  var living = Set(children)
  while let (process, status) = Children.reapAny() {
    try expect(living.remove(process) != nil, "\(process) is none of ours")
    try expect(status.isSuccess, "\(status)")
  }
  try expectEqual(living.count, 0, "children that were not found")
}

func forgedExitsAreRecognised(_ words: [String]) throws {
  let queue = try SignalQueue(SignalSet(exitSignal))
  try expect(sigqueue(getpid(), exitSignal.rawValue, sigval(sival_int: 1)) == 0, "sigqueue")
  try exitSignal.send(to: getpid())
  for origin in ["sigqueue", "kill"] {
    guard let arrival = queue.take() else { throw Wrong(description: "\(origin): nothing arrived") }
    try expect(!arrival.isFromKernel, "\(origin): taken for the kernel's word")
    try expectEqual(arrival.process, getpid(), "\(origin): sender")
    try expect(Children.reap(arrival.process) == nil, "\(origin): reaped")
  }
  let child = try forked(exitSignal: exitSignal) { 7 }
  try expect(
    queue.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))),
    "a true exit was not announced")
  let arrival = queue.take()
  try expect(arrival?.isFromKernel == true && arrival?.process == child, "a true exit came as \(arrival as Any)")
  try expectEqual(Children.reap(child), .exited(code: 7), "status")
}

func nothingToReap(_ words: [String]) throws {
  try expect(Children.reapAny() == nil, "reaped somebody")
  try expect(Children.reap(getppid()) == nil, "reaped the parent")
  let stranger = getppid()
  let found = failure { () throws(SystemCallError) in try Children.wait(for: stranger) }
  try expectEqual(
    found, SystemCallError("waitpid", on: String(stranger), code: .noChildProcess), "waiting for the parent")
}

/// waitpid(2) takes these for any child, or for those of a group.
func numbersBelowOneAreNoChild(_ words: [String]) throws {
  let child = try forked { 7 }
  var information = siginfo_t()
  try expect(waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) == 0, "waitid")
  for number: pid_t in [.min, -child, -1, 0] {
    try expect(Children.reap(number) == nil, "reaped by \(number)")
    for deadline in [Deadline.never, Deadline(after: .seconds(20))] {
      let found = failure { () throws(SystemCallError) in try Children.wait(for: number, until: deadline) }
      try expectEqual(found?.code, .noChildProcess, "waiting for \(number)")
    }
  }
  try expectEqual(Children.reap(child), .exited(code: 7), "status")
}

/// Without a descriptor for the wait nothing is known of a process.
func missingDescriptorIsNoEnd(_ words: [String]) throws {
  let child = try shell("exec sleep 50").spawn()
  let free = try Descriptor.open("/dev/null", .readOnly).number
  try ResourceLimit.openFiles.set(soft: UInt64(free), hard: 1024)
  let soon = Deadline(after: .milliseconds(20))
  for number in [child.process, getppid()] {
    let found = failure { () throws(SystemCallError) in try Children.waitForExit(of: number, until: soon) }
    try expectEqual(found?.code, .tooManyOpenFiles, "waiting for the end of \(number)")
  }
  let found = failure { () throws(SystemCallError) in try Children.wait(for: child.process, until: soon) }
  try expectEqual(found?.code, .tooManyOpenFiles, "waiting for a child")
  child.terminate()
}

func stoppedChildIsNoEndedOne(_ words: [String]) throws {
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let child = try forked {
    close(writing.number)
    return CInt(try readBytes(1, from: reading).count)
  }
  for (signal, state) in [(SIGSTOP, CInt(WSTOPPED)), (SIGCONT, CInt(WCONTINUED))] {
    try Signal(rawValue: signal).send(to: child)
    var information = siginfo_t()
    try expect(waitid(P_PID, id_t(child), &information, state | WNOWAIT) == 0, "waitid")
    try expect(Children.reap(child) == nil && Children.reapAny() == nil, "signal \(signal) ended it")
  }
  _ = consume writing
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "status")
}

func exitStatusTellsHowAChildEnded(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  for code: CInt in [0, 1, 3, 127, 255] { try expectEqual(try end { code }, .exited(code: code), "exit \(code)") }
  for number in [SIGKILL, SIGTERM, SIGSEGV, SIGALRM, Signal.realTime(2)!.rawValue] {
    let status = try end {
      raise(number)
      return 0
    }
    try expectEqual(status, .killed(by: Signal(rawValue: number), dumpedCore: false), "signal \(number)")
  }
}

func copyOfAGreatStatusFails(_ words: [String]) throws {
  for status: CInt in [256, 1000, -1, .max, .min] {
    try expectEqual(try ForkedProcess.run { status }.waitForExit(), .exited(code: 255), "status \(status)")
  }
  try expectEqual(try ForkedProcess.run { 255 }.waitForExit(), .exited(code: 255), "status 255")
}

func maskIsWhatWasSet(_ words: [String]) throws {
  SignalSet(.hangUp, .terminate).setThreadMask()
  SignalSet(.interrupt).block()
  let bits = [SIGHUP, SIGTERM, SIGINT].reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1 - 1) }
  try expectEqual(UInt64(try status("SigBlk"), radix: 16), bits, "mask")
  // Blocked, not lost, and announced once however often it comes.
  let queue = try SignalQueue(SignalSet(.terminate))
  try Signal.terminate.send(to: getpid())
  try Signal.terminate.send(to: getpid())
  try expectEqual(queue.take()?.signal, .terminate, "first")
  try expect(queue.take() == nil, "announced twice")
  SignalSet().setThreadMask()
  try expectEqual(UInt64(try status("SigBlk"), radix: 16), 0, "empty mask")
}
