import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let signalSubcommands: Subcommands = [
  "signal-blocked": blockedSignalsWait,
  "signal-wait": waitTakesOneAfterTheOther,
  "signal-wait-interrupted": waitGoesOnWithWhatIsLeft,
  "signal-queue-lent": lentQueueGivesTheMaskBack,
  "signal-storm": valuesArriveInOrder,
  "signal-full": fullQueueIsAnError,
  "signal-raise": raiseIsForThisThread,
  "signal-perl": perlsNamesMeanTheSame,
  "signal-python": pythonsSignalsArrive,
  "signal-kill-program": killProgramSendsValues,
  "signal-invalid": invalidReceiversAreErrors,
]

private let soon: Duration = .seconds(20)

/// Takes what was sent already.
func expectPending(_ set: SignalSet, _ signal: Signal, _ what: String) throws -> SignalArrival {
  guard let arrival = set.wait(until: .immediate) else { throw Wrong(description: "\(what): nothing came") }
  try expectEqual(arrival.signal, signal, what)
  return arrival
}

// MARK: - Blocking

func blockedSignalsWait(_ words: [String]) throws {
  for signal in [Signal.user1, .user2] { try signal.setDisposition(.counted) }
  SignalSet().setThreadMask()
  try expectEqual(SignalSet.blocked, [], "mask at first")
  let set: SignalSet = [.user1, .realTime(5)!]
  try set.withBlocked {
    try expectEqual(SignalSet.blocked, set, "mask in the scope")
    try SignalSet(.user2).withBlocked {
      try expectEqual(SignalSet.blocked, [.user1, .user2, .realTime(5)!], "mask in the inner scope")
      try Signal.user2.raise()
      try expectEqual(SignalSet.pending, [.user2], "pending")
      try expectEqual(Signal.user2.count, 0, "count of a blocked signal")
    }
    try expectEqual(Signal.user2.count, 1, "count when it is blocked no more")
    try expectEqual(SignalSet.blocked, set, "mask after the inner scope")
    // What was blocked already stays it.
    SignalSet(.user1).withBlocked {}
    try expectEqual(SignalSet.blocked, set, "mask after a scope of the same")
    for _ in 1...3 { try Signal.user1.raise() }
    try expectEqual(SignalSet.pending, [.user1], "pending")
    SignalSet(.user1).unblock()
    try expectEqual(Signal.user1.count, 1, "count of one sent three times")
    try expectEqual(SignalSet.blocked, [.realTime(5)!], "mask without it")
  }
  try expectEqual(SignalSet.blocked, [], "mask after the scope")
  let found = failure { () throws(SystemCallError) in
    try SignalSet.all.withBlocked { () throws(SystemCallError) in throw SystemCallError("link", code: .fileExists) }
  }
  try expectEqual(found?.code, .fileExists, "what the body throws")
  try expectEqual(SignalSet.blocked, [], "mask after an error")
  SignalSet.all.withBlocked { () in }
  try expectEqual(UInt64(try status("SigBlk"), radix: 16), 0, "mask as the kernel tells it")
}

// MARK: - Waiting

func waitTakesOneAfterTheOther(_ words: [String]) throws {
  let set: SignalSet = [.terminate, .user1, .realTime(1)!, .realTime(2)!]
  set.block()
  try expect(set.wait(until: .immediate) == nil, "something came from nobody")
  let limit = Deadline(after: .milliseconds(30))
  try expect(set.wait(until: limit) == nil && limit.isExpired, "the wait ended before its deadline")

  try Signal.realTime(2)!.send(2, to: getpid())
  try Signal.realTime(1)!.send(1, to: getpid())
  try Signal.realTime(1)!.send(-7, to: getpid())
  try Signal.terminate.send(to: getpid())
  try Signal.user1.send(to: getpid())
  try expectEqual(SignalSet.pending, set, "pending")
  for (signal, value) in [
    (Signal.user1, nil), (.terminate, nil), (.realTime(1)!, 1), (.realTime(1)!, -7), (.realTime(2)!, 2),
  ] as [(Signal, CInt?)] {
    let arrival = try expectPending(set, signal, "\(signal)")
    try expectEqual(arrival.value, value, "value of \(signal)")
    try expectEqual(arrival.process, getpid(), "sender of \(signal)")
    try expectEqual(arrival.user, getuid(), "sender's user of \(signal)")
    try expect(!arrival.isFromKernel, "\(signal) is no word of the kernel")
  }
  try expect(SignalSet.pending.isEmpty, "something is left")

  let child = try sender(1, of: .terminate)
  let arrival = set.wait(until: Deadline(after: soon))
  try expect(arrival?.signal == .terminate && arrival?.process == child, "\(arrival as Any)")
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")
}

func waitGoesOnWithWhatIsLeft(_ words: [String]) throws {
  let set: SignalSet = [.terminate]
  set.block()
  try Signal.user1.setDisposition(.counted)
  let child = try sender(10, of: .user1)
  let start = SystemClock.monotonic()
  try expect(set.wait(until: Deadline(after: .milliseconds(500))) == nil, "something came")
  let passed = SystemClock.monotonic() - start
  try expect((500_000_000..<10_000_000_000).contains(passed), "waited \(passed) ns")
  try expect(Signal.user1.count >= 1, "it was never interrupted")
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")
}

func lentQueueGivesTheMaskBack(_ words: [String]) throws {
  let before = try openDescriptors()
  SignalSet(.hangUp).block()
  let set: SignalSet = [.hangUp, .terminate]
  try SignalQueue.with(set) { queue in
    try expectEqual(SignalSet.blocked, set, "mask in the scope")
    try Signal.terminate.raise()
    try expect(queue.descriptor.wait(for: .readable, until: Deadline(after: soon)), "the queue is not readable")
    try expectEqual(queue.next(until: Deadline(after: soon))?.signal, .terminate, "arrival")
    try expect(queue.take() == nil, "it came twice")
    try expect(queue.next(until: Deadline(after: .milliseconds(20))) == nil, "it came twice")
    // A forked process ends without leaving the scope, or leaves it on its own: this one's mask is not touched.
    try expectEqual(try end { 0 }, .exited(code: 0), "child")
    try expectEqual(SignalSet.blocked, set, "mask after a child's end")
  }
  try expectEqual(SignalSet.blocked, [.hangUp], "mask after the scope")
  let found = failure { try SignalQueue.with(set) { _ in throw SystemCallError("link", code: .fileExists) } }
  try expectEqual((found as? SystemCallError)?.code, .fileExists, "what the body throws")
  try expectEqual(SignalSet.blocked, [.hangUp], "mask after an error")
  try expectEqual(try openDescriptors(), before, "descriptors")
  let status = try end {
    try SignalQueue.with([.terminate]) { _ in try Signal.terminate.raise() }
    return 0
  }
  try expectEqual(status, .killed(by: .terminate, dumpedCore: false), "a signal that nobody took")
}

// MARK: - Values

func valuesArriveInOrder(_ words: [String]) throws {
  try expect(ResourceLimit.pendingSignals.raise(to: 4000) >= 4000, "the queue of signals is too short here")
  let parent = getpid()
  let signal = Signal.realTime(3)!
  let queue = try SignalQueue([signal])
  // While they are sent, and when all have been.
  for isLate in [false, true] {
    let child = try forked {
      for value: CInt in 0..<1000 { try signal.send(value * 1_000_003 &- 500, to: parent) }
      return 0
    }
    if isLate { try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender") }
    for value: CInt in 0..<1000 {
      let arrival = queue.next(until: Deadline(after: soon))
      try expectEqual(arrival?.value, value * 1_000_003 &- 500, "value \(value)")
      try expectEqual(arrival?.process, child, "sender of \(value)")
    }
    try expect(queue.take() == nil, "more than were sent")
    if !isLate { try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender") }
  }
}

func fullQueueIsAnError(_ words: [String]) throws {
  let signal = Signal.realTime(3)!
  let queue = try SignalQueue([signal])
  try ResourceLimit.pendingSignals.set(soft: 10, hard: 10)
  var sent: CInt = 0
  let found = failure { () throws(SystemCallError) in
    while sent < 100 {
      try signal.send(sent, to: getpid())
      sent += 1
    }
  }
  try expectEqual(found, SystemCallError("sigqueue", on: String(getpid()), code: .wouldBlock), "a full queue")
  for value in 0..<sent { try expectEqual(queue.take()?.value, value, "value") }
  try expect(queue.take() == nil, "what was refused came all the same")
}

func raiseIsForThisThread(_ words: [String]) throws {
  try Signal.user1.setDisposition(.counted)
  for count in 1...100 as ClosedRange<UInt64> {
    try Signal.user1.raise()
    try expectEqual(Signal.user1.count, count, "count on return")
  }
  let found = failure { () throws(SystemCallError) in try Signal(rawValue: 65).raise() }
  try expectEqual(found, SystemCallError("raise", on: "signal 65", code: .invalidArgument), "no signal")
}

func invalidReceiversAreErrors(_ words: [String]) throws {
  for number: pid_t in [0, -1, -getpid(), .min] {
    let errors = [
      failure { () throws(SystemCallError) in try Signal.terminate.send(to: number) },
      failure { () throws(SystemCallError) in try Signal.terminate.send(1, to: number) },
      failure { () throws(SystemCallError) in try Signal.terminate.send(toGroup: number) },
      failure { () throws(SystemCallError) in try Signal.terminate.send(toGroupOf: number) },
    ]
    try expectEqual(errors.map { $0?.code }, Array(repeating: .invalidArgument, count: 4), "sent to \(number)")
  }
  let found = failure { () throws(SystemCallError) in try Signal.terminate.send(toGroup: 1) }
  try expectEqual(found, SystemCallError("kill", on: "group 1", code: .invalidArgument), "everybody")
  let nobody = failure { () throws(SystemCallError) in try Signal.terminate.send(toGroupOf: .max) }
  try expectEqual(nobody, SystemCallError("getpgid", on: "2147483647", code: .noSuchProcess), "the group of nobody")
  let late = failure { () throws(SystemCallError) in try Signal.terminate.send(3, to: .max) }
  try expectEqual(late, SystemCallError("sigqueue", on: "2147483647", code: .noSuchProcess), "a value for nobody")
}
