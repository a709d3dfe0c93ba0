import Glibc
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

let signalDescriptorSubcommands: Subcommands = [
  "receiver-threads": signalsArriveInAnyThread,
  "receiver-blocked": signalsThatWereBlockedArrive,
  "receiver-full": fullPipeLosesNoSignal,
  "receiver-restores": formerDispositionsReturn,
  "receiver-refuses": whatCannotBeReceivedIsRefused,
  "receiver-forks": copiesActAsIfThereWereNone,
  "receiver-calls": receivedSignalRestartsCalls,
  "receiver-closing": closedPipeIsNotWrittenTo,
  "queue-cancels": queueCancelsWaits,
]

private var soon: Deadline { Deadline(after: .seconds(20)) }

/// Threads that do nothing, until their pipe is closed.
private struct IdleThreads: ~Copyable {
  private let ends: PipeEnds
  private let threads: [Background]

  init(_ count: Int, _ mask: SignalSet) throws {
    let ends = try PipeEnds()
    let number = ends.readEnd.number
    threads = (0..<count).map { _ in
      Background {
        mask.setThreadMask()
        Descriptor.withBorrowed(number) { _ = $0.wait(for: .readable) }
      }
    }
    self.ends = ends
  }

  consuming func end() throws {
    try ends.writeEnd.writeAll("x")
    for thread in threads { thread.join() }
  }
}

func signalsArriveInAnyThread(_ words: [String]) throws {
  let signals = try SignalDescriptor([.terminate, .user1, .realTime(3)!])
  let threads = try IdleThreads(4, SignalSet())
  for isBlockedHere in [false, true] {
    if isBlockedHere { SignalSet.all.block() }
    for value: CInt in 0..<100 { try Signal.realTime(3)!.send(value, to: getpid()) }
    try Signal.terminate.send(to: getpid())
    var values: Set<CInt> = []
    while values.count < 100 || SignalSet.pending.contains(.terminate) {
      guard let arrival = signals.next(until: soon) else { throw Wrong(description: "\(values.count) arrived") }
      try expect(arrival.process == getpid() && arrival.user == getuid(), "sender: \(arrival)")
      try expect(!arrival.isIncomplete && !arrival.isFromKernel, "\(arrival)")
      if let value = arrival.value {
        values.insert(value)
      } else {
        try expectEqual(arrival.signal, .terminate, "signal")
      }
      if arrival.signal == .terminate { continue }
    }
    while signals.next(until: Deadline(after: .milliseconds(1))) != nil {}
  }
  let child = try Program(path: "/bin/sh", arguments: ["-c", "kill -TERM $PPID"]).spawn()
  let number = child.process
  try expectEqual(signals.next(until: soon)?.process, number, "a child's SIGTERM")
  try expectEqual(child.waitForExit(), .exited(code: 0), "child")

  let cancellation = try Cancellation()
  let other = Background { cancellation.cancel() }
  try expect(signals.next(cancelledBy: cancellation) == nil, "something came")
  other.join()
  try threads.end()
}

/// A program is started with them blocked.
func signalsThatWereBlockedArrive(_ words: [String]) throws {
  SignalSet.all.setThreadMask()
  let signals = try SignalDescriptor([.terminate])
  try Signal.terminate.send(to: getpid())
  try expectEqual(signals.next(until: soon)?.signal, .terminate, "arrival")
  try expect(signals.take() == nil, "it came twice")
  try expectEqual(SignalSet.blocked, SignalSet.all.subtracting([.terminate, .kill, .stop]), "mask")
}

func fullPipeLosesNoSignal(_ words: [String]) throws {
  let many = Signal.realTime(3)!
  let signals = try SignalDescriptor([.terminate, .user1, many])
  for round in 0..<2 {
    // Each has been handled before send returns: this is the only thread.
    for value: CInt in 0..<10_000 { try many.send(value, to: getpid()) }
    try Signal.terminate.send(to: getpid())
    try expect(signals.descriptor.wait(for: .readable, until: .immediate), "the descriptor is not readable")
    var next: CInt = 0
    var incomplete: [Signal] = []
    while let arrival = signals.take() {
      if arrival.isIncomplete {
        incomplete.append(arrival.signal)
        try expect(arrival.process == 0 && arrival.user == .max && arrival.value == nil, "details: \(arrival)")
      } else {
        try expectEqual(arrival.value, next, "value")
        next += 1
      }
    }
    try expect(next > 100 && next < 10_000, "\(next) values")
    try expectEqual(incomplete, [.terminate, many], "what did not fit, in round \(round)")
    try expect(!signals.descriptor.wait(for: .readable, until: .immediate), "the descriptor is readable")
  }
  try Signal.user1.send(to: getpid())
  try expectEqual(signals.next(until: soon)?.process, getpid(), "one after the flood")
}

func formerDispositionsReturn(_ words: [String]) throws {
  let before = try openDescriptors()
  let handler: SignalDisposition.Handler = { _ in }
  for disposition: SignalDisposition in [.default, .ignored, .counted, .handled(by: handler)] {
    try Signal.user1.setDisposition(disposition)
    for _ in 0..<3 {
      let signals = try SignalDescriptor([.user1, .user2])
      try Signal.user1.raise()
      try expectEqual(signals.take()?.signal, .user1, "arrival")
      let second = failure { () throws(SystemCallError) in try SignalDescriptor([.terminate, .user1]) }
      try expectEqual(second, SystemCallError("sigaction", on: "SIGUSR1", code: .init(rawValue: EBUSY)), "a second one")
      try expectEqual(try Signal.terminate.disposition, .default, "SIGTERM")
      _ = consume signals
      try expectEqual(try Signal.user1.disposition, disposition, "SIGUSR1 afterwards")
      try expectEqual(try Signal.user2.disposition, .default, "SIGUSR2 afterwards")
    }
  }
  // Another's handler, set since, is not taken away.
  let signals = try SignalDescriptor([.user1])
  try Signal.user1.setDisposition(.counted)
  _ = consume signals
  try expectEqual(try Signal.user1.disposition, .counted, "a handler set since")
  try expectEqual(try openDescriptors(), before, "descriptors")
}

func whatCannotBeReceivedIsRefused(_ words: [String]) throws {
  for signal in [Signal.kill, .stop, .segmentationFault, .busError, .floatingPointError, .illegalInstruction] {
    let found = failure { () throws(SystemCallError) in try SignalDescriptor([.hangUp, signal, .realTime(1)!]) }
    try expectEqual(found, SystemCallError("sigaction", on: "\(signal)", code: .invalidArgument), "\(signal)")
    try expectEqual(try Signal.hangUp.disposition, .default, "SIGHUP")
    try expectEqual(try Signal.realTime(1)!.disposition, .default, "SIGRTMIN+1")
  }
  try expect(SignalDescriptor([]).take() == nil, "none came")
  try ResourceLimit.openFiles.set(soft: 3, hard: 3)
  let found = failure { () throws(SystemCallError) in try SignalDescriptor([.hangUp]) }
  try expectEqual(found?.code, .tooManyOpenFiles, "without descriptors")
  try expectEqual(try Signal.hangUp.disposition, .default, "SIGHUP")
}

func copiesActAsIfThereWereNone(_ words: [String]) throws {
  try Signal.user1.setDisposition(.counted)
  Signal.user2.ignore()
  let set: SignalSet = [.terminate, .user1, .user2, .realTime(1)!]
  let signals = try SignalDescriptor(set)
  try expectEqual(
    try end {
      for signal in [Signal.user1, .user1, .user2] { try signal.send(to: getpid()) }
      if Signal.user1.count != 2 { return 1 }
      try Signal.terminate.send(to: getpid())
      return 2
    }, .killed(by: .terminate, dumpedCore: false), "copy")
  try expectEqual(
    try end {
      // One of its own, and the rest as before.
      let own = try SignalDescriptor([.terminate])
      try Signal.user1.send(to: getpid())
      try Signal.terminate.send(to: getpid())
      let arrival = own.take()
      if arrival?.signal != .terminate || arrival?.process != getpid() || Signal.user1.count != 1 { return 1 }
      _ = consume own
      if try Signal.terminate.disposition != .default { return 3 }
      try Signal.realTime(1)!.send(7, to: getpid())
      return 2
    }, .killed(by: .realTime(1)!, dumpedCore: false), "copy with one of its own")
  try expect(signals.take() == nil, "a copy's signal came here")
  let ignoring = try Program(path: "/bin/sh", arguments: ["-c", "kill -USR1 $$; exit 3"]).spawn().waitForExit()
  try expectEqual(ignoring, .killed(by: .user1, dumpedCore: false), "a program")
  try Signal.terminate.send(to: getpid())
  try expectEqual(signals.take()?.signal, .terminate, "arrival afterwards")
}

func receivedSignalRestartsCalls(_ words: [String]) throws {
  let signals = try SignalDescriptor([.user1])
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try sender(20, of: .user1) { try writing.writeAll("x") }
  var byte: UInt8 = 0
  try expect(read(reading.number, &byte, 1) == 1, "the read was interrupted")
  for _ in 0..<20 { try expectEqual(signals.take()?.process, child, "sender") }
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")
  // errno is the interrupted code's.
  errno = 4711
  kill(getpid(), SIGUSR1)
  try expectEqual(errno, 4711, "errno")
}

/// A signal that comes while its descriptor is dropped must not be written into what has its number next.
func closedPipeIsNotWrittenTo(_ words: [String]) throws {
  Signal.user1.ignore()
  let done = try Cancellation()
  let threads = (0..<2).map { _ in Background { while !done.isCancelled { kill(getpid(), SIGUSR1) } } }
  for _ in 0..<2000 {
    let signals = try SignalDescriptor([.user1])
    _ = signals.take()
    _ = consume signals
    let ends = try PipeEnds()
    try expect(!ends.readEnd.wait(for: .readable, until: .immediate), "a stranger's pipe was written to")
  }
  done.cancel()
  for thread in threads { thread.join() }
}

/// The descriptor of a queue as a cancellation: a signal that waits to be taken ends what waits for something else.
func queueCancelsWaits(_ words: [String]) throws {
  let queue = try SignalQueue([.terminate])
  let cancellation = try Cancellation(whenReadable: queue.descriptor)
  try expect(!cancellation.isCancelled, "cancelled at first")
  let ends = try PipeEnds()
  let child = try sender(1, of: .terminate)
  let deadline = soon
  try expect(!ends.readEnd.wait(for: .readable, until: deadline, cancelledBy: cancellation), "a pipe is readable")
  try expect(cancellation.isCancelled && !deadline.isExpired, "not cancelled")
  try expect(queue.next(cancelledBy: cancellation) == nil, "a cancelled wait")
  try expectEqual(queue.take()?.process, child, "sender")
  try expect(!cancellation.isCancelled, "cancelled though the signal was taken")
  try expect(queue.next(until: Deadline(after: .milliseconds(5)), cancelledBy: cancellation) == nil, "it came twice")
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")
}
