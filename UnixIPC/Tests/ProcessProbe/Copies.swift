import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let copySubcommands: Subcommands = [
  "copy-mask": copyCanBeEnded,
  "copy-handlers": copyDoesNotHandleWhatItsParentHandles,
  "copy-owners": copyMayLetGoOfOwners,
  "copy-children": copyLeavesItsParentsChildrenAlone,
  "copy-passing": copyGetsWhatIsPassed,
  "copy-argument": copySeesNothingOfFormerArguments,
  "program-passing": programGetsWhatIsPassed,
]

/// A copy that says that it is there, and waits.
private func waiting(_ options: ForkedProcess.Options = .init()) throws -> ChildProcess {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let child = try ForkedProcess.run(options, passing: DescriptorList(ends.writeEnd)) { passed in
    try passed.takeFirst()?.writeAll("x")
    while true { pause() }
  }
  _ = try readBytes(1, from: reading)
  return child
}

private let terminated = ExitStatus.killed(by: .terminate, dumpedCore: false)

func copyCanBeEnded(_ words: [String]) throws {
  let queue = try SignalQueue(SignalSet(.terminate, .child))
  try expectEqual(waiting().terminate(gracePeriod: .seconds(20)), terminated, "with signals queued by the parent")
  let deaf = try waiting(ForkedProcess.Options(blockedSignals: SignalSet(.terminate)))
  try expectEqual(
    deaf.terminate(gracePeriod: .milliseconds(20)), .killed(by: .kill, dumpedCore: false), "with SIGTERM blocked")
  try expect(SignalSet.blocked.contains(.terminate), "the parent's mask is changed")
  withExtendedLifetime(queue) {}
}

func copyDoesNotHandleWhatItsParentHandles(_ words: [String]) throws {
  try Signal.terminate.setDisposition(.counted)
  Signal.hangUp.ignore()
  try expectEqual(waiting().terminate(gracePeriod: .seconds(20)), terminated, "with SIGTERM counted by the parent")
  let counting = try waiting(ForkedProcess.Options(resetsHandlers: false))
  try expectEqual(
    counting.terminate(gracePeriod: .milliseconds(20)), .killed(by: .kill, dumpedCore: false), "with the handler kept")
  let ignored = try ForkedProcess.run { try Signal.hangUp.disposition == .ignored ? 0 : 1 }
  try expectEqual(ignored.waitForExit(), .exited(code: 0), "what is ignored")
  try expectEqual(Signal.terminate.disposition, .counted, "the parent's own")
}

private final class Server {
  var socket: Descriptor?
  init(_ socket: consuming Descriptor) { self.socket = consume socket }
}

/// perlipc's `close Server` in the child; and its number is not given to what the copy opens meanwhile.
func copyMayLetGoOfOwners(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let server = Server(ends.writeEnd)
  let child = try ForkedProcess.run {
    let file = try Descriptor.open("/proc/self/exe", .readOnly)
    server.socket = nil
    guard try readBytes(1, from: file).count == 1 else { return 2 }
    return 0
  }
  try expectEqual(child.waitForExit(), .exited(code: 0), "a copy that lets go")
  // The file behind it was closed there: the reader sees the end as soon as its owner here lets go.
  let other = try ForkedProcess.run { while true { pause() } }
  server.socket = nil
  try expectEqual(reading.readPrefix(1, until: Deadline(after: .seconds(20))), [], "the end")
  other.terminate()
}

private final class Owner {
  var child: ChildProcess?
  init(_ child: consuming ChildProcess) { self.child = consume child }
}

func copyLeavesItsParentsChildrenAlone(_ words: [String]) throws {
  var program = shell("read x; exit 4")
  program.leadsGroup = true
  let ends = try PipeEnds()
  let owner = Owner(try program.spawn(input: .descriptor(ends.readEnd)))
  let copy = try ForkedProcess.run {
    owner.child = nil
    return 0
  }
  try expectEqual(copy.waitForExit(), .exited(code: 0), "the copy")
  _ = consume ends.writeEnd
  try expectEqual(owner.child?.waitForExit(), .exited(code: 4), "the parent's child")
}

func copyGetsWhatIsPassed(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  var list = DescriptorList(try Descriptor.open("/dev/null", .readOnly))
  list.append(ends.writeEnd)
  let before = try openDescriptors().count
  let child = try ForkedProcess.run(passing: list) { passed in
    guard passed.count == 2 else { return 1 }
    try passed.take(at: 1).writeAll("passed")
    return 0
  }
  try expectEqual(text(reading.readPrefix(100)), "passed", "what it wrote")
  try expectEqual(child.waitForExit(), .exited(code: 0), "the copy")
  // The list's two; the child's handle came.
  try expectEqual(openDescriptors().count, before - 1, "descriptors")
  _ = consume child
}

/// As long as an argument may be, each byte another.
private struct LongArgument: Equatable {
  var first = SIMD64<UInt8>((0..<64).map { $0 })
  var second = SIMD64<UInt8>((64..<128).map { $0 })
  var third = SIMD64<UInt8>((128..<192).map { $0 })
  var last = SIMD64<UInt8>((192...255).map { $0 })
}

/// A longer argument before may have been about another client.  On a private stack arguments are passed in another way.
func copySeesNothingOfFormerArguments(_ words: [String]) throws {
  try seesNothingOfFormerArguments()
  var failure: (any Error)?
  let hasRun: Void? = PrivateStack.run(size: 1 << 20) {
    do { try seesNothingOfFormerArguments() } catch { failure = error }
  }
  if let failure { throw failure }
  try expect(hasRun != nil, "no private stack")
}

private func seesNothingOfFormerArguments() throws {
  func status<Argument>(_ argument: Argument, _ body: @convention(c) (UnsafeMutableRawPointer?) -> CInt) throws
    -> ExitStatus
  {
    try Children.wait(for: try ForkedProcess.fork(exitSignal: .child, passing: argument, body))
  }
  try expectEqual(
    status(LongArgument()) { $0!.load(as: LongArgument.self) == LongArgument() ? 0 : 1 }, .exited(code: 0),
    "a long argument")
  let short = try status(UInt64.max) { argument in
    let bytes = UnsafeRawBufferPointer(start: argument, count: MemoryLayout<LongArgument>.size)
    return bytes.prefix(8).allSatisfy { $0 == 0xff } && bytes.dropFirst(8).allSatisfy { $0 == 0 } ? 0 : 1
  }
  try expectEqual(short, .exited(code: 0), "the bytes behind a short one")
}

func programGetsWhatIsPassed(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let before = try openDescriptors().count
  let child = try shell("echo three >&3; echo two >&2").spawn(
    errors: .descriptor(ends.writeEnd.duplicate()), passing: DescriptorList(ends.writeEnd))
  try expectEqual(text(reading.readPrefix(100)), "three\ntwo\n", "what it wrote")
  try expectEqual(child.waitForExit(), .exited(code: 0), "the program")
  try expectEqual(openDescriptors().count, before, "descriptors: the pipe's end went, the child's handle came")
  var program = Program(path: "/bin/true")
  program.umask = .max
  try expectEqual(program.run(), .exited(code: 0), "with any mask")
  let signal = failure { () throws(SystemCallError) in
    try ProcessControl.setParentDeathSignal(Signal(rawValue: -1), parent: 1)
  }
  try expectEqual(signal?.code, .invalidArgument, "no signal")
}
