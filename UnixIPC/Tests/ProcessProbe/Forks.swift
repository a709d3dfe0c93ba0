import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let forkSubcommands: Subcommands = [
  "pipe-forked": forkedProcessesAreReadAndWritten,
  "pipe-forked-end": forkedProcessKeepsNoEnd,
  "pipe-forked-identity": forkedProcessActsForAnother,
  "fork-threaded": threadedProcessIsNotForked,
  "fork-printed": nothingIsPrintedTwice,
  "fork-error": errorEndsTheCopyAlone,
  "fork-many": noneOfManyIsLost,
  "fork-apart": childrenLackThePrivateStack,
  "fork-near": childrenHaveAStackNearTheRest,
]

func forkedProcessesAreReadAndWritten(_ words: [String]) throws {
  var kid = try ForkedProcess.openForReading { output in
    try output.writeAll("from \(getpid())\n")
    return 7
  }
  let line = try text(kid.readLine())
  try expect(line != nil && line != "from \(getpid())", "\(line ?? "nothing")")
  try expectEqual(kid.close(), .exited(code: 7), "status")

  // Perl's safe pipe open for writing: the copy stores what it reads.
  let path = "/tmp/begat-probe-\(getpid())"
  defer { unlink(path) }
  var writer = try ForkedProcess.openForWriting { input in
    let file = try Descriptor.open(path, [.writeOnly, .create])
    let bytes = try input.readPrefix(1 << 20)
    try bytes.withUnsafeBytes { try file.writeAll($0) }
    return 0
  }
  let data = [UInt8]((0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
  try writer.write(data)
  try expectEqual(writer.close(), .exited(code: 0), "status")
  try expectEqual(Descriptor.open(path, .readOnly).readPrefix(1 << 20), data, "what was stored")
  // Its standard output is the pipe for programs that it executes as well.
  var shellOfKid = try ForkedProcess.openForReading { _ in
    try shell("echo inner").run().isSuccess ? 0 : 1
  }
  try expectEqual(text(shellOfKid.readLine()), "inner", "what a program of the copy wrote")
  try expectEqual(shellOfKid.close(), .exited(code: 0), "status")
}

/// The second copy must not keep the first one's input from ending.
func forkedProcessKeepsNoEnd(_ words: [String]) throws {
  var first = try ForkedProcess.openForWriting { input in CInt(try input.readPrefix(100).count) }
  let log = try Descriptor.open("/dev/null", .writeOnly)
  let number = log.number
  let second = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [number])) {
    guard fcntl(number, F_GETFD) != -1 else { return 1 }
    while true { pause() }
  }
  try first.write("four")
  try expectEqual(first.close(), .exited(code: 4), "the first one")
  try expectEqual(second.terminate(), .killed(by: .terminate, dumpedCore: false), "the second one")
}

func forkedProcessActsForAnother(_ words: [String]) throws {
  let nobody = Identity(user: 65534, group: 65534, groups: [65533])
  var kid = try ForkedProcess.openForReading(ForkedProcess.Options(identity: nobody)) { output in
    try output.writeAll(contents("/proc/self/status"))
    return setuid(0) == -1 ? 0 : 1
  }
  var facts: [String] = []
  while let line = try text(kid.readLine()) {
    if ["Uid:", "Gid:", "Groups:"].contains(where: line.hasPrefix) { facts.append(line) }
  }
  let four = "\t65534\t65534\t65534\t65534"
  try expectEqual(facts, ["Uid:" + four, "Gid:" + four, "Groups:\t65533 "], "identity")
  try expectEqual(kid.close(), .exited(code: 0), "whether root came back")

  var program = Program(path: "/usr/bin/id", arguments: ["-G"])
  program.identity = nobody
  try expectEqual(text(program.capture(limit: 100).output), "65534 65533\n", "groups of a program")
  try expectEqual(geteuid(), 0, "the caller's own")
  // Without the right to it, it is an error of the opening.
  program.path = "/nowhere"
  let missing = failure { () throws(SystemCallError) in try program.capture(limit: 100) }
  try expectEqual(missing, SystemCallError("execve", on: "/nowhere", code: .noSuchFileOrDirectory), "a missing program")
  try Identity(user: 65534, group: 65534).become()
  let root = Identity(user: 0, group: 0)
  let refused = failure { () throws(SystemCallError) in
    try ForkedProcess.openForReading(ForkedProcess.Options(identity: root)) { _ in 0 }
  }
  try expectEqual(refused, SystemCallError("setresgid", on: "0", code: .notPermitted), "becoming root")
  program.identity = root
  let refusedProgram = failure { () throws(SystemCallError) in try program.capture(limit: 100) }
  try expectEqual(refusedProgram, SystemCallError("setresgid", on: "/nowhere", code: .notPermitted), "a root program")
  try nothingToReap([])
}

func threadedProcessIsNotForked(_ words: [String]) throws {
  let gate = try PipeEnds()
  let number = gate.readEnd.number
  var thread = pthread_t()
  let context = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
  context.initialize(to: number)
  let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    let number = context!.load(as: CInt.self)
    var byte: UInt8 = 0
    _ = read(number, &byte, 1)
    return nil
  }
  try expectEqual(Threads.count, 1, "threads")
  try expectEqual(pthread_create(&thread, nil, entry, context), 0, "pthread_create")
  try expectEqual(Threads.count, 2, "threads")
  let error = failure { () throws(SystemCallError) in try ForkedProcess.run { 0 } }
  try expectEqual(
    error?.description,
    "fork a process with 2 threads (fork before any is started, or start a program instead): "
      + "Resource deadlock avoided", "error")
  try expectEqual(
    failure { () throws(SystemCallError) in try ForkedProcess.fork(exitSignal: .child) }?.code, .deadlock, "error")
  try gate.writeEnd.writeAll("x")
  pthread_join(thread, nil)
  try expectEqual(ForkedProcess.run { 5 }.waitForExit(), .exited(code: 5), "with the thread ended")
}

func nothingIsPrintedTwice(_ words: [String]) throws {
  var reader = try ForkedProcess.openForReading { _ in
    // Not a terminal: the C library keeps it back.
    print("before")
    let inner = try ForkedProcess.run {
      print("inner")
      return 0
    }
    _ = try inner.waitForExit()
    print("after")
    return 0
  }
  var lines: [String] = []
  while let line = try text(reader.readLine()) { lines.append(line) }
  try expectEqual(lines, ["before", "inner", "after"], "what was printed")
}

func errorEndsTheCopyAlone(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  atexit { say("an exit handler of the parent's ran") }
  let kid = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [writing.number])) {
    dup2(writing.number, STDERR_FILENO)
    throw Wrong(description: "went wrong")
  }
  try expectEqual(kid.waitForExit(), .exited(code: 1), "status")
  _ = consume writing
  try expectEqual(text(reading.readPrefix(100)), "process-probe: went wrong\n", "what it said")
}

/// `fork-many COUNT`
func noneOfManyIsLost(_ words: [String]) throws {
  let count = words.first.flatMap { Int($0) } ?? 1000
  var living = Set<pid_t>()
  var reaped = 0
  for index in 0..<count {
    while true {
      do throws(SystemCallError) {
        let code = CInt(index % 200)
        living.insert(try ForkedProcess.run { code }.release())
        break
      } catch {
        guard error.code.isResourceExhaustion, let (process, _) = Children.reapAny() else { throw error }
        try expect(living.remove(process) != nil, "\(process) is none of ours")
        reaped += 1
      }
    }
  }
  while !living.isEmpty {
    for (process, _) in try Children.reapAll(until: .never) {
      try expect(living.remove(process) != nil, "\(process) is none of ours, or was reaped before")
      reaped += 1
    }
  }
  try expectEqual(reaped, count, "children")
  try nothingToReap([])
}

/// The lines of /proc/self/maps that contain an address.
func mappings(of address: UInt) throws -> [Substring] {
  try contents("/proc/self/maps").split(separator: "\n").filter { line in
    let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    return ends.count == 2 && (ends[0]..<ends[1]).contains(address)
  }
}

private struct Legacy: ~Copyable {
  let address: UInt
  let number: CInt
}

func childrenLackThePrivateStack(_ words: [String]) throws {
  var outer = 0
  let first = withUnsafePointer(to: &outer) { UInt(bitPattern: $0) }
  var failures: [String] = []
  func check(_ body: () throws -> Void) { do { try body() } catch { failures.append("\(error)") } }
  let result = PrivateStack.run(size: 1 << 20) {
    var local = 0
    let here = withUnsafePointer(to: &local) { UInt(bitPattern: $0) }
    check {
      let stack = try mappings(of: here)
      try expect(stack.count == 1 && !stack[0].hasSuffix("[stack]"), "\(stack)")
      try expect(PrivateStack.run(size: 1 << 20, { 0 }) == nil, "one inside of the other")
      // A child that begins anew has its argument and the first stack, and nothing of this one.
      let child = try ForkedProcess.fork(exitSignal: .child, passing: Legacy(address: here, number: 41)) { argument in
        let legacy = argument!.assumingMemoryBound(to: Legacy.self)
        let isGone = (try? mappings(of: legacy.pointee.address).isEmpty) ?? false
        var mine = 0
        let first = withUnsafePointer(to: &mine) { UInt(bitPattern: $0) }
        let isFirst = (try? mappings(of: first).first?.hasSuffix("[stack]")) ?? false
        return isGone && isFirst ? legacy.pointee.number + 1 : 1
      }
      try expectEqual(Children.wait(for: child), .exited(code: 42), "with an argument")
      // All other ways go on from here.
      try expectEqual(end { local == 0 && here != first ? 43 : 1 }, .exited(code: 43), "a copy")
      try expectEqual(ForkedProcess.run { local == 0 ? 44 : 1 }.waitForExit(), .exited(code: 44), "a copy that runs")
      try expectEqual(shell("exit 45").run(), .exited(code: 45), "a program")
      var acting = shell("exit 46")
      acting.identity = .effective
      try expectEqual(acting.run(), .exited(code: 46), "a program of an identity")
      // None of them has made it one that is inherited.
      let again = try ForkedProcess.fork(exitSignal: .child, passing: Legacy(address: here, number: 46)) { argument in
        let legacy = argument!.assumingMemoryBound(to: Legacy.self)
        return (try? mappings(of: legacy.pointee.address).isEmpty) == true ? legacy.pointee.number + 1 : 1
      }
      try expectEqual(Children.wait(for: again), .exited(code: 47), "with an argument, again")
    }
    return here
  }
  try expectEqual(failures, [], "failures")
  try expect(result != nil && result != first, "another stack")
  try expectEqual(mappings(of: result!).count, 0, "mappings of the stack at the end")
  // Without a stack apart, the argument is passed all the same.
  let child = try ForkedProcess.fork(exitSignal: .child, passing: Legacy(address: 0, number: 47)) { argument in
    argument!.assumingMemoryBound(to: Legacy.self).pointee.number + 1
  }
  try expectEqual(Children.wait(for: child), .exited(code: 48), "on the only stack")
}

/// Memory above a page without access.
private func guardedMemory(pages: Int) throws -> UnsafeMutableRawBufferPointer {
  let start = mmap(nil, (pages + 1) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
  try expect(start != MAP_FAILED && mprotect(start, 4096, PROT_NONE) == 0, "memory")
  return UnsafeMutableRawBufferPointer(start: start + 4096, count: pages * 4096)
}

func childrenHaveAStackNearTheRest(_ words: [String]) throws {
  var outer = 7
  let first = withUnsafePointer(to: &outer) { UInt(bitPattern: $0) }
  func shown() throws -> String { String(try contents("/proc/self/cmdline").prefix { $0 != "\0" }) }
  var failure: (any Error)?
  let hasRun: Void? = PrivateStack.run(size: 1 << 20) {
    do {
      let memory = try guardedMemory(pages: 64)
      try expect(
        PrivateStack.leaveFirst(for: UnsafeMutableRawBufferPointer(rebasing: memory[4096...]), room: 512) == nil,
        "a stack above a page that can be written to")
      var hasMoved = false
      let moved = ProcessTitle {
        let room = PrivateStack.leaveFirst(for: memory, room: 512)
        hasMoved = room != nil
        return room
      }
      guard let title = moved, hasMoved else { throw Wrong(description: "no title near the children's stack") }
      title.show("listener")
      try expectEqual(try shown(), "listener", "title")
      let child = try ForkedProcess.fork(exitSignal: .child, passing: Legacy(address: first, number: 41)) { argument in
        let legacy = argument!.assumingMemoryBound(to: Legacy.self)
        let lacksFirst = (try? mappings(of: legacy.pointee.address).isEmpty) ?? false
        let title = try? contents("/proc/self/cmdline").prefix { $0 != "\0" }
        return lacksFirst && title == "listener" ? legacy.pointee.number + 1 : 1
      }
      try expectEqual(Children.wait(for: child), .exited(code: 42), "with an argument")
      // The thread's variables lie elsewhere, and those on the pages named stay as they are.
      try expect(!PrivateStack.leaveThreadVariables(in: memory), "thread variables that are not there")
      // Below its stack there is a guard.
      let deep = try ForkedProcess.fork(exitSignal: .child, passing: Legacy(address: first, number: 0)) { _ in
        Signal.segmentationFault.restoreDefault()
        return CInt(truncatingIfNeeded: recursion(1))
      }
      guard case .killed(by: .segmentationFault, _) = try Children.wait(for: deep) else {
        throw Wrong(description: "a recursion without an end did not end the process")
      }
      // A copy that goes on has everything.
      let copy = try ForkedProcess.run { CInt(UnsafePointer<Int>(bitPattern: first)!.pointee) + 36 }
      try expectEqual(copy.waitForExit(), .exited(code: 43), "copy")
      try expectEqual(shell("exit 44").run(), .exited(code: 44), "a program")
    } catch { failure = error }
  }
  if let failure { throw failure }
  try expect(hasRun != nil, "no private stack")
  try expectEqual(outer, 7, "variable of the first stack")
}

@inline(never) private func recursion(_ depth: Int) -> Int {
  withUnsafeTemporaryAllocation(of: Int.self, capacity: 64) { room in
    room[depth & 63] = depth
    return depth < 0 ? 0 : recursion(depth + 1) &+ room[depth & 63]
  }
}
