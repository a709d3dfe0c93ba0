import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// A lock in shared memory, and numbers beside it that its holders may change.
private struct Guarded: ~Copyable {
  private let memory: MemoryMapping
  let lock: SharedLock
  let numbers: UnsafeMutablePointer<Int>
  /// What the kernel looks at: the holder's thread, whether somebody waits, whether the last holder died.
  let word: UnsafeMutablePointer<UInt32>

  init() throws {
    memory = try MemoryMapping.shared(size: 4096)
    let start = memory.unsafeBytes.baseAddress!
    lock = SharedLock(at: start)
    word = (start + 8).assumingMemoryBound(to: UInt32.self)
    numbers = (start + 128).assumingMemoryBound(to: Int.self)
  }

  var hasWaiters: Bool { word.pointee & waitersBit != 0 }
}

private let waitersBit: UInt32 = 0x8000_0000

/// Whether the last holder died.  Whoever does not get the lock in time ends by SIGALRM.
private func isAbandoned(_ lock: SharedLock) -> Bool {
  Alarm.set(after: .seconds(10))
  defer { Alarm.set(after: .seconds(50)) }
  return lock.withLock { $0 }
}

/// The same in another process.
private func isAbandonedForAnother(_ lock: SharedLock) throws -> Bool {
  let status = try end { isAbandoned(lock) ? 10 : 11 }
  try expect(status == .exited(code: 10) || status == .exited(code: 11), "another process: \(status)")
  return status == .exited(code: 10)
}

private func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let deadline = SystemClock.monotonic() + 20_000_000_000
  while try !condition() {
    try expect(SystemClock.monotonic() < deadline, "never: \(what)")
    usleep(200)
  }
}

/// A process that has the lock and waits for its end: by a signal, or by itself once something comes through `gate`.
private func holder(of lock: SharedLock, gate: borrowing PipeEnds) throws -> pid_t {
  let ready = try PipeEnds()
  let isReady = ready.readEnd
  let sayReady = ready.writeEnd
  let reading = gate.readEnd.number
  let child = try forked {
    try lock.withLock { _ in
      Result {
        try sayReady.writeAll("r")
        _ = try Descriptor.withBorrowed(reading) { try readBytes(1, from: $0) }
        ProcessControl.exitImmediately(status: 7)
      }
    }.get()
  }
  try expectEqual(try readBytes(1, from: isReady).count, 1, "the holder is ready")
  return child
}

/// A process that waits for the lock, and ends with 11 when it gets it, 10 when its last holder died.
private func waiter(for guarded: borrowing Guarded) throws -> pid_t {
  let lock = guarded.lock
  let child = try forked { isAbandoned(lock) ? 10 : 11 }
  try waitUntil("a waiter sleeps") {
    // Number, name and state; a process that waits for a futex sleeps.
    try contents("/proc/\(child)/stat").split(separator: " ")[2] == "S"
      && contents("/proc/\(child)/syscall").hasPrefix("\(futexCall) ")
  }
  try expect(guarded.hasWaiters, "nobody sees the waiter")
  return child
}

/// SYS_futex
private var futexCall: Int {
  #if arch(x86_64)
    202
  #else
    98
  #endif
}

private enum End: CaseIterable { case kill, endProcess }

func abandonedLockIsTakenOver(_ words: [String]) throws {
  for end in End.allCases {
    let guarded = try Guarded()
    let gate = try PipeEnds()
    let child = try holder(of: guarded.lock, gate: gate)
    switch end {
    case .kill:
      try Signal.kill.send(to: child)
      try expectEqual(try Children.wait(for: child), .killed(by: .kill, dumpedCore: false), "\(end)")
    case .endProcess:
      try gate.writeEnd.writeAll("e")
      try expectEqual(try Children.wait(for: child), .exited(code: 7), "\(end)")
    }
    try expect(isAbandoned(guarded.lock), "\(end): not told")
    try expect(!isAbandoned(guarded.lock), "\(end): told twice")
    try expect(!(try isAbandonedForAnother(guarded.lock)), "\(end): told a third time")
    try expectEqual(guarded.word.pointee, 0, "\(end): the word of a free lock")
  }
}

func abandonedLockWakesAWaiter(_ words: [String]) throws {
  for end in End.allCases {
    let guarded = try Guarded()
    let gate = try PipeEnds()
    let child = try holder(of: guarded.lock, gate: gate)
    let waiters = try (0..<3).map { _ in try waiter(for: guarded) }
    if end == .kill { try Signal.kill.send(to: child) } else { try gate.writeEnd.writeAll("e") }
    _ = try Children.wait(for: child)
    // One of them is told, and none stays behind.
    let codes = try waiters.map { try Children.wait(for: $0) }
    try expectEqual(codes.filter { $0 == .exited(code: 10) }.count, 1, "\(end): told among \(codes)")
    try expectEqual(codes.filter { $0 == .exited(code: 11) }.count, 2, "\(end): not told among \(codes)")
  }
}

/// Whoever repairs may die too: then it is the next one's turn.
func repairerMayDieToo(_ words: [String]) throws {
  let guarded = try Guarded()
  for _ in 0..<3 {
    let gate = try PipeEnds()
    let child = try holder(of: guarded.lock, gate: gate)
    try Signal.kill.send(to: child)
    _ = try Children.wait(for: child)
  }
  try expect(isAbandoned(guarded.lock), "not told")
  try expect(!isAbandoned(guarded.lock), "told twice")
}

func lockLosesNoCount(_ words: [String]) throws {
  let (processes, times) = (4, 20_000)
  let guarded = try Guarded()
  let (lock, number) = (guarded.lock, guarded.numbers)
  let children = try (0..<processes).map { _ in
    try forked {
      for _ in 0..<times {
        let isWrong = lock.withLock { isAbandoned in
          // Read and written far apart: two at once would lose one.
          let before = number.pointee
          if before % 64 == 0 { sched_yield() }
          number.pointee = before + 1
          return isAbandoned
        }
        if isWrong { return 1 }
      }
      return 0
    }
  }
  for child in children { try expectEqual(try Children.wait(for: child), .exited(code: 0), "counting process") }
  try expectEqual(number.pointee, processes * times, "count")
  try expectEqual(guarded.word.pointee & ~waitersBit, 0, "the word of a free lock")
}

func nestedLocksEndTheProcess(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let guarded = try Guarded()
  let other = try Guarded()
  for second in [guarded.lock, other.lock] {
    let status = try end {
      // The message is for people.
      close(STDERR_FILENO)
      Alarm.set(after: .seconds(10))
      return guarded.lock.withLock { _ in second.withLock { _ in 0 } }
    }
    guard case .killed(let signal, _) = status, signal != .alarm else { throw Wrong(description: "\(status)") }
    try expect(isAbandoned(guarded.lock), "the lock of a process that ended is not given back")
  }
  // A process that was forked by a holder holds nothing.
  let status = try guarded.lock.withLock { _ in Result { try end { other.lock.withLock { _ in 5 } } } }.get()
  try expectEqual(status, .exited(code: 5), "a holder's child")
}

func killedWaiterDoesNoHarm(_ words: [String]) throws {
  let guarded = try Guarded()
  for victim in 0..<3 {
    let gate = try PipeEnds()
    let child = try holder(of: guarded.lock, gate: gate)
    let waiters = try (0..<3).map { _ in try waiter(for: guarded) }
    try Signal.kill.send(to: waiters[victim])
    _ = try Children.wait(for: waiters[victim])
    try expectEqual(guarded.word.pointee & ~waitersBit, UInt32(child), "the holder")
    try Signal.kill.send(to: child)
    _ = try Children.wait(for: child)
    let codes = try waiters.enumerated().filter { $0.offset != victim }.map { try Children.wait(for: $0.element) }
    try expectEqual(Set(codes), [.exited(code: 10), .exited(code: 11)], "others who waited")
  }
  try expect(!isAbandoned(guarded.lock), "a waiter's death was taken for the holder's")
}

/// A waiter that was woken and dies before it has the lock takes the wakeup with it; the one who got the lock before it
/// knows nothing of those who still sleep.
func lostWakeupIsMadeUpFor(_ words: [String]) throws {
  let guarded = try Guarded()
  let sleeper = try guarded.lock.withLock { _ in
    Result {
      let sleeper = try waiter(for: guarded)
      guarded.word.pointee &= ~waitersBit
      return sleeper
    }
  }.get()
  try expectEqual(try Children.wait(for: sleeper), .exited(code: 11), "a sleeper that nobody wakes")
}

func killsInARow(_ words: [String]) throws {
  let guarded = try Guarded()
  let (lock, numbers) = (guarded.lock, guarded.numbers)
  /// Two numbers that are the same wherever nobody died between them.
  func step(_ isAbandoned: Bool) -> Bool {
    defer { for index in 0..<2 { numbers[index] += 1 } }
    guard numbers[0] != numbers[1] else { return true }
    numbers[1] = numbers[0]
    return isAbandoned
  }
  var random = UInt32(1)
  var told = 0
  let parent = getpid()
  let enduring = try (0..<2).map { index in
    try forked {
      guard try ProcessControl.setParentDeathSignal(.kill, parent: parent) else { return 2 }
      while numbers[2] == 0 {
        if !lock.withLock(step) { return 1 }
        numbers[4 + index] += 1
      }
      return 0
    }
  }
  for round in 0..<200 {
    let victim = try forked {
      // Half of the time in the middle of it.
      while lock.withLock({ isAbandoned in
        guard step(isAbandoned) else { return false }
        numbers[0] += 1
        numbers[3] += 1
        usleep(20)
        numbers[1] += 1
        return true
      }) {}
      return 1
    }
    let before = numbers[3]
    try waitUntil("victim \(round) has had the lock") { numbers[3] > before }
    random = random &* 1_664_525 &+ 1_013_904_223
    usleep(random >> 24)
    try Signal.kill.send(to: victim)
    try expectEqual(try Children.wait(for: victim), .killed(by: .kill, dumpedCore: false), "victim \(round)")
    Alarm.set(after: .seconds(20))
    try expect(
      lock.withLock { isAbandoned in
        if isAbandoned { told += 1 }
        return step(isAbandoned)
      }, "after \(round) kills: half a change, and nobody was told")
    let progress = (numbers[4], numbers[5])
    try waitUntil("the others go on after \(round) kills") { numbers[4] > progress.0 && numbers[5] > progress.1 }
  }
  numbers[2] = 1
  for child in enduring { try expectEqual(try Children.wait(for: child), .exited(code: 0), "enduring process") }
  try expect(!isAbandoned(lock), "told after the last one")
  try expect(numbers[0] == numbers[1], "\(numbers[0]) and \(numbers[1])")
}

/// A process may get the number that an ancestor had when it took the lock.
func lockKnowsARecycledNumber(_ words: [String]) throws {
  // On a busy machine somebody else may have the number, and keep it.
  for _ in 0..<10 where try isANumberRecycled() { return }
  throw Wrong(description: "the number of a dead ancestor was never to be had")
}

/// False where the number could not be had again.
private func isANumberRecycled() throws -> Bool {
  let guarded = try Guarded()
  let lock = guarded.lock
  let gate = try PipeEnds()
  let gateReading = gate.readEnd
  let gateWriting = gate.writeEnd
  let report = try PipeEnds()
  let reports = report.readEnd
  let reporting = report.writeEnd
  let ancestor = try forked {
    lock.withLock { _ in }
    let number = getpid()
    _ = try forked {
      close(gateWriting.number)
      _ = try readBytes(1, from: gateReading)
      for _ in 0..<500 {
        try Descriptor.open("/proc/sys/kernel/ns_last_pid", .writeOnly).writeAll(String(number - 1))
        let child = try forked {
          getpid() == number ? lock.withLock { _ in ProcessControl.exitImmediately(status: 5) } : 6
        }
        if try Children.wait(for: child) == .exited(code: 5) {
          try reporting.writeAll("y")
          return 0
        }
      }
      try reporting.writeAll("n")
      return 0
    }
    return 0
  }
  _ = try Children.wait(for: ancestor)
  _ = consume gateWriting
  guard try readBytes(1, from: reports) == [UInt8(ascii: "y")] else { return false }
  try expect(isAbandoned(lock), "not told")
  return true
}
