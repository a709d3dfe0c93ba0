import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let groupSubcommands: Subcommands = [
  "group-lead": groupsAndSessionsAreLed,
  "group-join": groupIsJoined,
  "group-own": ownGroupIsReachedByAnybody,
  "group-shell": groupOfAMemberIsReached,
  "liveness": livenessHasThreeAnswers,
  "liveness-thread": threadIsNoProcess,
  "liveness-group": livenessOfGroups,
  "liveness-others": livenessOfOthers,
  "become-program": processBecomesAProgram,
]

private func errno(of body: () throws(SystemCallError) -> Void) -> ErrorCode? { failure(of: body)?.code }

func groupsAndSessionsAreLed(_ words: [String]) throws {
  try expectEqual(try ProcessControl.group(of: getpid()), ProcessControl.ownGroup, "own group")
  try expectEqual(try ProcessControl.group(of: getpid()), getpgrp(), "own group")
  try expectEqual(try ProcessControl.session(of: getpid()), getsid(0), "own session")
  for number: pid_t in [0, -1, .min] {
    try expectEqual(
      errno { () throws(SystemCallError) in _ = try ProcessControl.group(of: number) }, .invalidArgument, "")
    try expectEqual(
      errno { () throws(SystemCallError) in _ = try ProcessControl.session(of: number) }, .invalidArgument, "")
  }
  let nobody = failure { () throws(SystemCallError) in try ProcessControl.session(of: .max) }
  try expectEqual(nobody, SystemCallError("getsid", on: "2147483647", code: .noSuchProcess), "session of nobody")

  let status = try end {
    let former = ProcessControl.ownGroup
    try expect(former != getpid(), "a child leads from its birth")
    for _ in 1...2 {
      try ProcessControl.leadGroup()
      try expectEqual(ProcessControl.ownGroup, getpid(), "group led")
    }
    try expectEqual(
      errno { () throws(SystemCallError) in try ProcessControl.leadSession() }, .notPermitted, "by a leader")
    try ProcessControl.join(group: former)
    try expectEqual(ProcessControl.ownGroup, former, "group joined")
    try ProcessControl.leadSession()
    try expectEqual(try ProcessControl.session(of: getpid()), getpid(), "session led")
    try ProcessControl.leadGroup()
    try expectEqual(ProcessControl.ownGroup, getpid(), "group of a session's leader")
    try expectEqual(
      errno { () throws(SystemCallError) in try ProcessControl.join(group: former) }, .notPermitted, "leaving")
    return 0
  }
  try expectEqual(status, .exited(code: 0), "child")
}

func groupIsJoined(_ words: [String]) throws {
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let children = try (0..<2).map { _ in
    try forked {
      close(writing.number)
      return CInt(try readBytes(1, from: reading).count)
    }
  }
  for child in children {
    try ProcessControl.join(group: children[0], child: child)
    try expectEqual(try ProcessControl.group(of: child), children[0], "group of \(child)")
  }
  let executed = try Program(path: "/bin/sh", arguments: ["-c", "read x"]).start(descriptors: [
    reading.number, 1, 2,
  ])
  func joinFails(_ child: pid_t, _ group: pid_t) -> ErrorCode? {
    errno { () throws(SystemCallError) in try ProcessControl.join(group: group, child: child) }
  }
  try expectEqual(joinFails(executed, children[0]), .permissionDenied, "a child that has executed a program")
  try expectEqual(joinFails(getppid(), children[0]), .noSuchProcess, "the parent")
  try expectEqual(joinFails(children[1], .max), .notPermitted, "a group that there is not")
  for number: pid_t in [0, -1] {
    try expectEqual(joinFails(number, children[0]), .invalidArgument, "child \(number)")
    try expectEqual(joinFails(children[0], number), .invalidArgument, "group \(number)")
  }
  _ = consume writing
  for child in children { try expectEqual(try Children.wait(for: child), .exited(code: 0), "child") }
  _ = try Children.wait(for: executed)
}

/// The sender does not lead the group, where `kill HUP => -$$` reaches nobody, and spares itself.
func ownGroupIsReachedByAnybody(_ words: [String]) throws {
  let set: SignalSet = [.hangUp]
  set.block()
  let leader = try forked {
    try ProcessControl.leadGroup()
    let member = try forked {
      SignalSet().setThreadMask()
      let itself = getpid()
      try expectEqual(
        errno { () throws(SystemCallError) in try Signal.hangUp.send(toGroup: itself) }, .noSuchProcess, "")
      try Signal.withDisposition(.ignored, for: .hangUp) { try Signal.hangUp.sendToOwnGroup() }
      return 0
    }
    guard set.wait(until: Deadline(after: .seconds(20)))?.process == member else { return 1 }
    return try Children.wait(for: member).isSuccess ? 0 : 2
  }
  try expectEqual(try Children.wait(for: leader), .exited(code: 0), "leader")
  try expect(SignalSet.pending.isEmpty, "it came to another group")
}

/// A shell and another that it has started; the inner one's number leads to both.
func groupOfAMemberIsReached(_ words: [String]) throws {
  let inner = #"trap "echo inner; exit 0" HUP; echo $$; sleep 50 & wait"#
  var program = Program(
    path: "/bin/sh", arguments: ["-c", "trap 'echo outer; exit 0' HUP; sh -c '\(inner)' & wait"],
    environment: ["PATH=/usr/bin:/bin"])
  program.leadsGroup = true
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try program.spawn(descriptors: [0, writing.number, 2])
  _ = consume writing
  var line: [UInt8] = []
  while line.last != 10 {
    let byte = try readBytes(1, from: reading)
    try expect(!byte.isEmpty, "the shell has ended")
    line += byte
  }
  guard let member = pid_t(String(decoding: line.dropLast(), as: UTF8.self)) else {
    throw Wrong(description: "\(line)")
  }
  try expect(member != child.process, "the inner shell is the outer one")
  try expectEqual(try ProcessControl.group(of: member), child.process, "group of the inner shell")
  try Signal.hangUp.send(toGroupOf: member)
  // A shell that is just forking or about to wait may miss one.
  var said: [UInt8] = []
  for _ in 0..<200 {
    guard reading.wait(for: .readable, until: Deadline(after: .milliseconds(100))) else {
      try? Signal.hangUp.send(toGroup: child.process)
      continue
    }
    let byte = try readBytes(1, from: reading)
    if byte.isEmpty { break }
    said += byte
  }
  let lines = Set(String(decoding: said, as: UTF8.self).split(separator: "\n"))
  try expectEqual(lines, ["inner", "outer"], "what the shells say")
  try expectEqual(try child.waitForExit(), .exited(code: 0), "outer shell")
}

// MARK: - Liveness

func livenessHasThreeAnswers(_ words: [String]) throws {
  let before = try openDescriptors()
  try expectEqual(try Liveness(of: getpid()), .alive, "itself")
  try expectEqual(try Liveness(of: .max), .gone, "a number above all")
  for number: pid_t in [0, -1, -getpid(), .min] {
    try expectEqual(errno { () throws(SystemCallError) in _ = try Liveness(of: number) }, .invalidArgument, "\(number)")
    try expectEqual(
      errno { () throws(SystemCallError) in _ = try Liveness(ofGroup: number) }, .invalidArgument, "\(number)")
  }
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let child = try forked {
    close(writing.number)
    return CInt(try readBytes(1, from: reading).count)
  }
  do {
    let handle = try ProcessHandle(child)
    try expectEqual(handle.liveness, .alive, "child by handle")
    try expectEqual(try Liveness(of: child), .alive, "child")
    try Signal.stop.send(to: child)
    try expectEqual(try Liveness(of: child), .alive, "stopped child")
    try Signal.continue.send(to: child)
    _ = consume writing
    try expect(handle.waitForExit(until: Deadline(after: .seconds(20))), "the child does not end")
    try expect(kill(child, 0) == 0, "to kill(2) a zombie is there")
    try expectEqual(try Liveness(of: child), .gone, "zombie")
    try expectEqual(handle.liveness, .gone, "zombie by handle")
    _ = try Children.wait(for: child)
    try expectEqual(try Liveness(of: child), .gone, "reaped child")
    try expectEqual(handle.liveness, .gone, "reaped child by handle")
  }
  _ = consume reading
  try expectEqual(try openDescriptors(), before, "descriptors")
  let free = UInt64((0...CInt.max).first { !before.contains($0) } ?? 0)
  try ResourceLimit.openFiles.set(soft: free, hard: free)
  try expectEqual(
    errno { () throws(SystemCallError) in _ = try Liveness(of: getpid()) }, ErrorCode.tooManyOpenFiles, "")
}

/// kill(2) takes a thread's number for its process's.
func threadIsNoProcess(_ words: [String]) throws {
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let news = try PipeEnds()
  let numbers = UnsafeMutablePointer<CInt>.allocate(capacity: 2)
  defer { numbers.deallocate() }
  numbers[0] = reading.number
  numbers[1] = news.writeEnd.number
  var thread = pthread_t()
  let failed = pthread_create(
    &thread, nil,
    { context in
      guard let numbers = context?.assumingMemoryBound(to: CInt.self) else { return nil }
      var byte: UInt8 = 0
      write(numbers[1], &byte, 1)
      read(numbers[0], &byte, 1)
      return nil
    }, numbers)
  try expectEqual(failed, 0, "pthread_create")
  _ = try readBytes(1, from: news.readEnd)
  let threads = try directoryNumbers("/proc/self/task").filter { $0 != getpid() }
  try expectEqual(threads.count, 1, "threads")
  try expect(kill(threads[0], 0) == 0, "to kill(2) a thread is a process")
  try expectEqual(try Liveness(of: threads[0]), .gone, "thread")
  try writing.writeAll("x")
  pthread_join(thread, nil)
}

private func directoryNumbers(_ path: String) throws -> [pid_t] {
  guard let directory = opendir(path) else { throw Wrong(description: "opendir \(path)") }
  defer { closedir(directory) }
  var numbers: [pid_t] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if let number = pid_t(name) { numbers.append(number) }
  }
  return numbers
}

func livenessOfGroups(_ words: [String]) throws {
  try expectEqual(try Liveness(ofGroup: ProcessControl.ownGroup), .alive, "own group")
  try expectEqual(try Liveness(ofGroup: .max), .gone, "no group")
  let gate = try PipeEnds()
  let reading = gate.readEnd
  let writing = gate.writeEnd
  let leader = try forked { 0 }
  try ProcessControl.join(group: leader, child: leader)
  let member = try forked {
    close(writing.number)
    return CInt(try readBytes(1, from: reading).count)
  }
  try ProcessControl.join(group: leader, child: member)
  try expect(try Children.waitForExit(of: leader, until: Deadline(after: .seconds(20))), "the leader does not end")
  try expectEqual(try Liveness(ofGroup: leader), .alive, "a group whose leader has ended")
  _ = consume writing
  try expect(try Children.waitForExit(of: member, until: Deadline(after: .seconds(20))), "the member does not end")
  try expect(kill(-leader, 0) == 0, "to kill(2) a group of zombies is there")
  try expectEqual(try Liveness(ofGroup: leader), .gone, "a group of zombies")
  for child in [leader, member] { try expectEqual(try Children.wait(for: child), .exited(code: 0), "child") }
  try expectEqual(try Liveness(ofGroup: leader), .gone, "a group whose members were reaped")
}

/// For root, who can become somebody else.
func livenessOfOthers(_ words: [String]) throws {
  let root = getpid()
  try expectEqual(
    try end {
      try ProcessControl.leadGroup()
      let zombie = try forked { 0 }
      try expect(try Children.waitForExit(of: zombie, until: Deadline(after: .seconds(20))), "the zombie does not end")
      let status = try end {
        try Identity(user: 65534, group: 65534).become()
        try expectEqual(try Liveness(of: root), .notOurs, "root's process")
        try expectEqual(try Liveness(ofGroup: getpgid(root)), .notOurs, "root's group")
        try expectEqual(try Liveness(of: zombie), .gone, "root's zombie")
        try expectEqual(try Liveness(of: getpid()), .alive, "its own")
        try expectEqual(try Liveness(ofGroup: ProcessControl.ownGroup), .alive, "a group with one of its own in it")
        try expectEqual(
          errno { () throws(SystemCallError) in try Signal.terminate.send(to: root) }, .notPermitted, "a signal to root"
        )
        return 0
      }
      return status.isSuccess ? 0 : 1
    }, .exited(code: 0), "child")
}

func processBecomesAProgram(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try forked {
    Signal.hangUp.ignore()
    dup2(writing.number, STDOUT_FILENO)
    try ProcessControl.becomeProgram(
      at: "/bin/sh", arguments: ["-c", "kill -HUP $$; echo $$ $0 $WORD; exit 7", "zero"], argumentZero: "name",
      environment: ["WORD=kept"])
  }
  _ = consume writing
  let status = try Children.wait(for: child)
  try expectEqual(status, .exited(code: 7), "status")
  // The pipe's own descriptor is close-on-exec.
  let text = String(decoding: try reading.readPrefix(1000), as: UTF8.self)
  try expectEqual(text, "\(child) zero kept\n", "output")

  let missing = failure { () throws(SystemCallError) in
    try ProcessControl.becomeProgram(at: "/nonexistent", arguments: [String](), environment: [])
  }
  try expectEqual(
    missing, SystemCallError("execve", on: "/nonexistent", code: .noSuchFileOrDirectory), "missing program")
}
