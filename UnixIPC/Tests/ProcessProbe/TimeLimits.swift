import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let timeLimitSubcommands: Subcommands = [
  "deadline-flock": deadlineEndsALock,
  "deadline-nested": deadlinesAreNested,
  "deadline-inner-error": deadlineKeepsTheInnerError,
  "deadline-race": deadlineLeavesNoGap,
  "deadline-mask": deadlineLeavesNoTrace,
  "deadline-blocked": deadlineEndsThoughAllIsBlocked,
  "deadline-disposition": deadlineEndsThoughAllIsIgnored,
  "lock-file": fileLockIsTakenAndGivenBack,
]

/// A locked file whose lock somebody else has, as long as the body runs.
private func withContendedFile(_ body: (borrowing Descriptor) throws -> Void) throws {
  let path = "/tmp/begat-probe-\(getpid())"
  let holder = try Descriptor.open(path, [.readWrite, .create])
  defer { unlink(path) }
  try expect(try holder.tryLock(.exclusive), "the lock of a new file is held")
  try body(Descriptor.open(path, .readWrite))
}

/// A process that sends some 30,000 unrelated signals a second to this one, half of them with a handler that restarts
/// calls.  Without any pause the kernel would run handlers and nothing else, deadline or not.
private func storm() throws -> ChildProcess {
  var action = sigaction()
  action.__sigaction_handler.sa_handler = { _ in }
  _ = sigaction(SIGUSR1, &action, nil)
  action.sa_flags = SA_RESTART
  _ = sigaction(SIGUSR2, &action, nil)
  let target = getpid()
  return try ForkedProcess.run {
    while true {
      for signal in [Signal.user1, .user2] { try signal.send(to: target) }
      usleep(1)
    }
  }
}

/// `deadline-flock TRIES`: each ends 50 to 60 ms after its beginning; says how the times were distributed.
func deadlineEndsALock(_ words: [String]) throws {
  let tries = words.first.flatMap { Int($0) } ?? 20
  if tries > 100 { Alarm.set(after: .milliseconds(1000 * tries)) }
  let sender = try storm()
  var times: [Int64] = []
  try withContendedFile { file in
    for _ in 0..<tries {
      let start = SystemClock.monotonic()
      do {
        try withDeadline(after: .milliseconds(50)) { try file.lock(.exclusive) }
        throw Wrong(description: "the lock was taken")
      } catch let error as SystemCallError {
        try expect(error.call == "flock" && error.code == .timedOut, "\(error)")
      }
      times.append(SystemClock.monotonic() - start)
    }
  }
  try expectEqual(sender.terminate(), .killed(by: .terminate, dumpedCore: false), "the storm")
  times.sort()
  if tries > 100 {
    say("\(tries) tries: \(times[0] / 1000) to \(times[tries - 1] / 1000) us, median \(times[tries / 2] / 1000) us")
  }
  try expect(times[0] >= 50_000_000, "one ended after \(times[0]) ns")
  let late = times.filter { $0 > 60_000_000 }
  // A busy machine is no fault of the deadline's; that it is not kept at all is.
  if tries > 100 { say("\(tries - late.count) within 60 ms") }
  try expect(times[tries / 2] < 1_000_000_000, "half of them took longer than \(times[tries / 2]) ns")
}

private func timedOut(_ body: () throws -> Void) throws -> Bool {
  do {
    try body()
    return false
  } catch let error as SystemCallError {
    try expect(error.code == .timedOut, "\(error)")
    return true
  }
}

func deadlinesAreNested(_ words: [String]) throws {
  try withContendedFile { file in
    let start = SystemClock.monotonic()
    let isOuterLate = try timedOut {
      try withDeadline(after: .milliseconds(60)) {
        try expect(
          timedOut { try withDeadline(after: .milliseconds(10)) { try file.lock(.shared) } }, "the inner one")
        try expect(SystemClock.monotonic() - start < 50_000_000, "the inner one was late")
        // A farther deadline inside does not move the nearer one.
        try withDeadline(after: .seconds(30)) { try file.lock(.shared) }
      }
    }
    try expect(isOuterLate, "the outer one")
    let time = SystemClock.monotonic() - start
    try expect(time >= 60_000_000 && time < 20_000_000_000, "\(time) ns")
    try expect(try timedOut { try file.lock(.exclusive, until: Deadline(after: .milliseconds(5))) }, "lock's own")
    try expectEqual(Deadline.current, .never, "what is left")
  }
}

private struct Inner: Error {}

func deadlineKeepsTheInnerError(_ words: [String]) throws {
  do {
    try withDeadline(after: .milliseconds(1)) {
      while !Deadline.current.isExpired {}
      throw Inner()
    }
    throw Wrong(description: "no error")
  } catch is Inner {}
  try withDeadline(after: .seconds(20)) {
    let error = failure { () throws(SystemCallError) in try Descriptor.open("/nowhere", .readOnly) }
    try expectEqual(error?.code, .noSuchFileOrDirectory, "the inner error")
  }
}

/// The deadline is over before the call begins: the signal that came then must not have been the last.
func deadlineLeavesNoGap(_ words: [String]) throws {
  try withContendedFile { file in
    for offset in 0..<200 {
      let isLate = try timedOut {
        try withDeadline(after: .microseconds(offset)) {
          if offset % 2 == 0 { while !Deadline.current.isExpired {} }
          try file.lock(.exclusive)
        }
      }
      try expect(isLate, "the lock was taken")
    }
    try expect(try timedOut { try withDeadline(Deadline.immediate) { try file.lock(.exclusive) } }, "long ago")
  }
}

func deadlineLeavesNoTrace(_ words: [String]) throws {
  SignalSet.all.setThreadMask()
  let before = try status("SigBlk")
  try withContendedFile { file in
    try expect(try timedOut { try withDeadline(after: .milliseconds(3)) { try file.lock(.exclusive) } }, "blocked")
  }
  try expectEqual(status("SigBlk"), before, "blocked signals")
  try expectEqual(status("SigPnd"), "0000000000000000", "pending signals")
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let start = SystemClock.monotonic()
  try withDeadline(after: .milliseconds(5)) {
    try expect(!reading.wait(for: .readable, until: .never), "an empty pipe is readable")
  }
  try expect(SystemClock.monotonic() - start >= 5_000_000, "too early")
  // A copy has no timer: nothing of the deadline must be left to it.
  let status = try withDeadline(after: .seconds(20)) {
    try ForkedProcess.run { Deadline.current == .never ? 0 : 1 }.waitForExit()
  }
  try expectEqual(status, .exited(code: 0), "a forked process")
  try expectEqual(contents("/proc/self/timers"), "", "timers")
}

/// Whatever the body does to masks, the signal that interrupts it is delivered.
func deadlineEndsThoughAllIsBlocked(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let read = { _ = try readBytes(1, from: reading) }
  var native = sigset_t()
  sigfillset(&native)
  let bodies: [() throws -> Void] = [
    { try SignalSet.all.withBlocked(read) },
    { try SignalSet(Signal("RTMAX")!, .terminate).withBlocked(read) },
    {
      SignalSet.all.setThreadMask()
      defer { SignalSet().setThreadMask() }
      try read()
    },
    { try SignalQueue.with(.all) { _ in try read() } },
  ]
  for body in bodies { try expect(try timedOut { try withDeadline(after: .milliseconds(20), body) }, "no time-out") }
  // A mask that was read where something else had blocked all, and set inside.
  pthread_sigmask(SIG_SETMASK, &native, nil)
  let foreign = SignalSet.blocked
  let isLate = try timedOut {
    try withDeadline(after: .milliseconds(20)) {
      foreign.setThreadMask()
      try read()
    }
  }
  try expect(isLate, "no time-out under a foreign mask")
}

func deadlineEndsThoughAllIsIgnored(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let last = Signal("RTMAX")!
  let isLate = try timedOut {
    try withDeadline(after: .milliseconds(20)) {
      last.ignore()
      last.restoreDefault()
      for disposition: SignalDisposition in [.ignored, .default, .counted] {
        let error = failure { () throws(SystemCallError) in try last.setDisposition(disposition, restartingCalls: true)
        }
        try expectEqual(error?.code, .invalidArgument, "\(disposition)")
      }
      let error = failure { try Signal.withDisposition(.ignored, for: last) {} }
      try expectEqual((error as? SystemCallError)?.code, .invalidArgument, "scope")
      _ = try readBytes(1, from: reading)
    }
  }
  try expect(isLate, "no time-out")
}

func fileLockIsTakenAndGivenBack(_ words: [String]) throws {
  let path = "/tmp/begat-probe-\(getpid())"
  let file = try Descriptor.open(path, [.readWrite, .create])
  defer { unlink(path) }
  let other = try Descriptor.open(path, .readWrite)
  try file.lock(.shared)
  try expect(try other.tryLock(.shared), "a second shared lock")
  try expect(try !other.tryLock(.exclusive), "an exclusive lock beside a shared one")
  try file.unlock()
  try expect(try other.tryLock(.exclusive), "an exclusive lock alone")

  // flock(1) respects it, and waits for it.
  let flock = Program(path: "/usr/bin/flock", arguments: ["--nonblock", path, "true"])
  try expectEqual(flock.spawn().waitForExit(), .exited(code: 1), "flock --nonblock while it is held")
  let holder = try ForkedProcess.run {
    let mine = try Descriptor.open(path, .readWrite)
    try mine.lock(.exclusive)
    return 0
  }
  try other.unlock()
  try expectEqual(holder.waitForExit(), .exited(code: 0), "one that waited")
  try expectEqual(flock.spawn().waitForExit(), .exited(code: 0), "flock --nonblock when its holder has ended")
}
