import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

let systemVSubcommands: Subcommands = [
  "semaphore-kills": killedHolderGivesBack,
  "semaphore-race": everybodySeesTheValues,
  "semaphore-interrupted": signalsDoNotLengthenAWait,
  "semaphore-excluded": oneAtATimeIsIn,
  "semaphore-foreign": foreignSetIsRefused,
  "memory-kills": killedOwnersLeaveNothing,
  "memory-race": oneOfManyMakesTheSegment,
]

/// Runs the body with a set that is gone afterwards.
private func withSet(_ values: [UInt16], _ body: (SemaphoreSet) throws -> Void) throws {
  let set = try SemaphoreSet.create(values: values)
  defer { try? set.remove() }
  try body(set)
}

/// Runs a body in a process that says when it is done with it, and waits for its end by a signal.
private func untilKilled(_ body: () throws -> Void) throws -> pid_t {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let parent = getpid()
  let child = try forked {
    _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
    try body()
    try writing.writeAll("r")
    while true { pause() }
  }
  _ = consume writing
  try expectEqual(try readBytes(1, from: reading).count, 1, "signs of readiness")
  return child
}

private func count(_ words: [String]) -> Int { words.first.flatMap(Int.init) ?? 100 }

/// A word after the count asks for the figures.
func killedHolderGivesBack(_ words: [String]) throws {
  let start = SystemClock.monotonic()
  var free = 0
  try withSet([0]) { set in
    for _ in 0..<count(words) {
      let child = try untilKilled { try set.take() }
      try expectEqual(try set.value(), 1, "value while it is held")
      try Signal.kill.send(to: child)
      // Not reaped yet: the kernel gives back when the process dies, not when its parent looks.
      do throws(SystemCallError) {
        try set.take(until: Deadline(after: .seconds(5)))
        free += 1
        try set.give()
      } catch { try set.setValue(to: 0) }
      _ = try Children.wait(for: child)
    }
    try expectEqual(try set.value(), 0, "value at the end")
  }
  try expectEqual(free, count(words), "semaphores free again after kill -9")
  if words.count > 1 { say("\(free) of \(count(words)) free, \(Double(SystemClock.monotonic() - start) / 1e9) s") }
}

func everybodySeesTheValues(_ words: [String]) throws {
  let key = try SystemVKey(path: words[0], project: 9)
  for round in 0..<20 {
    let gate = try PipeEnds()
    let wait = gate.readEnd
    let go = gate.writeEnd.release()
    var children: [pid_t] = []
    for _ in 0..<20 {
      children.append(
        try forked {
          Glibc.close(go)
          // The gate's end of file lets all of them go at once.
          _ = try readBytes(1, from: wait)
          let opened = try SemaphoreSet.createOrOpen(key, values: [3, 0, 7])
          guard try opened.object.values() == [3, 0, 7] else { return 50 }
          return opened.isNew ? 1 : 0
        })
    }
    Glibc.close(go)
    let codes = try children.map { try Children.wait(for: $0) }
    try SemaphoreSet.open(key).remove()
    try expectEqual(codes.count { $0 == .exited(code: 1) }, 1, "makers in round \(round): \(codes)")
    try expectEqual(codes.count { $0 == .exited(code: 0) }, 19, "openers in round \(round): \(codes)")
  }
}

func signalsDoNotLengthenAWait(_ words: [String]) throws {
  signal(SIGUSR1) { _ in }
  try withSet([1]) { set in
    let parent = getpid()
    let pest = try forked {
      _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
      while true { if kill(parent, SIGUSR1) != 0 { return 1 } else { usleep(1000) } }
    }
    let start = SystemClock.monotonic()
    let limit = failure { () throws(SystemCallError) in try set.take(until: Deadline(after: .milliseconds(100))) }
    let taken = SystemClock.monotonic() - start
    try Signal.kill.send(to: pest)
    _ = try Children.wait(for: pest)
    try expectEqual(limit?.code, .timedOut, "why it ended")
    try expect(taken >= 100_000_000 && taken < 5_000_000_000, "it took \(taken) ns")
  }
}

/// Eight processes add to a number that is theirs one at a time; some of them are killed at it.
func oneAtATimeIsIn(_ words: [String]) throws {
  let memory = try SharedMemorySegment.createAttached(size: 8)
  try withSet([0]) { set in
    let children = try (0..<8).map { _ in
      try forked {
        for _ in 0..<200 {
          try set.withTaken(until: Deadline(after: .seconds(30))) {
            let before = memory.unsafeBytes.load(as: Int.self)
            if before % 16 == 0 { sched_yield() }
            memory.unsafeBytes.storeBytes(of: before + 1, as: Int.self)
          }
        }
        return 0
      }
    }
    for child in children { try expectEqual(try Children.wait(for: child), .exited(code: 0), "a process") }
    try expectEqual(memory.unsafeBytes.load(as: Int.self), 1600, "the number")
    try expectEqual(try set.value(), 0, "the semaphore")
  }
}

/// One that another user made under our key, and left open to all.
func foreignSetIsRefused(_ words: [String]) throws {
  let key = try SystemVKey(path: words[0], project: 9)
  let made = try end {
    try Identity(user: 65534, group: 65534).become()
    _ = try SemaphoreSet.create(key, values: [1], mode: 0o666)
    _ = try SharedMemorySegment.create(key, size: 10, mode: 0o666)
    return 0
  }
  defer {
    try? SemaphoreSet.open(key, owner: nil).remove()
    try? SharedMemorySegment.open(key, owner: nil).remove()
  }
  try expectEqual(made, .exited(code: 0), "the other user")
  let set = failure { () throws(SystemCallError) in try SemaphoreSet.createOrOpen(key, values: [1]) }
  try expectEqual(set?.description, "semget key \(key) (made by user 65534): Operation not permitted", "set")
  let segment = failure { () throws(SystemCallError) in try SharedMemorySegment.open(key) }
  try expectEqual(segment?.code, .notPermitted, "segment")
  try expectEqual(try SemaphoreSet.open(key, owner: 65534).values(), [1], "one that is trusted")
  try expectEqual(try SharedMemorySegment.open(key, owner: nil).metadata().size, 10, "anybody's")
  // And ours is not the other user's.
  let own = try SemaphoreSet.create(values: [1])
  defer { try? own.remove() }
  let refused = try end {
    try Identity(user: 65534, group: 65534).become()
    let failure = failure { () throws(SystemCallError) in try own.take() }
    return failure?.code == .permissionDenied ? 0 : 1
  }
  try expectEqual(refused, .exited(code: 0), "another user's taking of a set of mode 0600")
}

func killedOwnersLeaveNothing(_ words: [String]) throws {
  let parent = getpid()
  for round in 0..<count(words) {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let removal: SharedMemorySegment.Removal = round % 10 == 9 ? .whenAsked : .atLastDetach
    let child = try forked {
      _ = try ProcessControl.setParentDeathSignal(.kill, parent: parent)
      let memory = try SharedMemorySegment.createAttached(size: 5000, removal: removal)
      try writing.writeAll("\(memory.segment.identifier)\n")
      while memory.unsafeBytes[0] == 0 { pause() }
      return 1
    }
    let line = try String(decoding: readBytes(1, from: reading), as: UTF8.self)
    let text = try line + String(decoding: readRest(of: reading), as: UTF8.self)
    guard let identifier = CInt(text) else { throw Wrong(description: "no identifier: \(text)") }
    let segment = SharedMemorySegment(identifier: identifier)
    try expectEqual(try segment.metadata().isMarkedForRemoval, removal == .atLastDetach, "mark while it lives")
    try expectEqual(try segment.metadata().attachedCount, 1, "mappings while it lives")
    try expectEqual(try segment.metadata().creatorProcess, child, "maker")
    try Signal.kill.send(to: child)
    _ = try Children.wait(for: child)
    if removal == .whenAsked {
      try expectEqual(try segment.metadata().attachedCount, 0, "mappings of one that stays")
      try segment.remove()
    }
    let gone = failure { () throws(SystemCallError) in try segment.metadata() }
    try expect(
      gone?.code == .invalidArgument || gone?.code == .identifierRemoved, "round \(round): it is there still")
  }
}

/// What is left of a line.
private func readRest(of descriptor: borrowing Descriptor) throws -> [UInt8] {
  var bytes: [UInt8] = []
  while bytes.count < 20 {
    let next = try readBytes(1, from: descriptor)
    if next.isEmpty || next == [0x0a] { return bytes }
    bytes += next
  }
  return bytes
}

func oneOfManyMakesTheSegment(_ words: [String]) throws {
  let key = try SystemVKey(path: words[0], project: 8)
  for round in 0..<20 {
    let codes = try (0..<10).map { _ in
      try forked {
        let opened = try SharedMemorySegment.createOrOpen(key, size: 100)
        let memory = try opened.object.attach()
        return memory.unsafeBytes.count == 100 ? (opened.isNew ? 1 : 0) : 50
      }
    }.map { try Children.wait(for: $0) }
    try SharedMemorySegment.open(key).remove()
    try expectEqual(codes.count { $0 == .exited(code: 1) }, 1, "makers in round \(round): \(codes)")
    try expectEqual(codes.count { $0 == .exited(code: 0) }, 9, "openers in round \(round): \(codes)")
  }
}
