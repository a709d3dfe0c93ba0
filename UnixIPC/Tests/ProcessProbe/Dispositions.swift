import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let dispositionSubcommands: Subcommands = [
  "disposition-actions": defaultActionIsWhatHappens,
  "disposition-set": dispositionIsWhatWasSet,
  "disposition-counted": countedSignalInterrupts,
  "disposition-restarted": countedSignalRestarts,
  "disposition-storm": countedStormIsExact,
  "disposition-scoped": scopePutsBackEverything,
  "disposition-foreign": scopePutsBackForeignHandlers,
]

// MARK: - Default actions

/// Each signal raised in a process of its own, in the directory `words[0]`, where cores may be left.
func defaultActionIsWhatHappens(_ words: [String]) throws {
  try expect(chdir(words[0]) == 0, "chdir")
  let (_, hard) = try ResourceLimit.coreSize.current()
  try ResourceLimit.coreSize.set(soft: hard, hard: hard)
  let pattern = try contents("/proc/sys/kernel/core_pattern").first
  let canDump = hard > 0 && pattern != "/" && pattern != "|"
  for signal in Signal.all {
    let child = try forked {
      // Nothing but the registers; and stops are for groups only that somebody outside of them looks after.
      try Descriptor.open("/proc/self/coredump_filter", .writeOnly).writeAll("0")
      try ProcessControl.leadGroup()
      try signal.raise()
      return 0
    }
    var status: CInt = 0
    try expect(waitpid(child, &status, WUNTRACED) == child, "waitpid")
    let expected: CInt =
      switch signal.defaultAction {
      case .terminate: signal.rawValue
      case .dumpCore: signal.rawValue | (canDump ? 0x80 : 0)
      case .stop: signal.rawValue << 8 | 0x7F
      case .continue, .ignore: 0
      }
    try expectEqual(status, expected, "\(signal), whose action is \(signal.defaultAction)")
    guard signal.defaultAction == .stop else { continue }
    try Signal.continue.send(to: child)
    try expectEqual(try Children.wait(for: child), .exited(code: 0), "\(signal) after SIGCONT")
  }
}

// MARK: - Setting and counting

func dispositionIsWhatWasSet(_ words: [String]) throws {
  let handler: SignalDisposition.Handler = { _ in }
  let other: SignalDisposition.Handler = { number in _exit(number) }
  for signal in [Signal.user1, .realTime(3)!, .child] {
    try expectEqual(try signal.disposition, .default, "\(signal) at first")
    for disposition: SignalDisposition in [.ignored, .counted, .handled(by: handler), .default] {
      try signal.setDisposition(disposition)
      try expectEqual(try signal.disposition, disposition, "\(signal)")
    }
    signal.ignore()
    try expectEqual(try signal.disposition, .ignored, "\(signal)")
    signal.restoreDefault()
    try expectEqual(try signal.disposition, .default, "\(signal)")
  }
  try expect(SignalDisposition.handled(by: handler) != .handled(by: other), "all handlers are one")
  try expect(SignalDisposition.handled(by: handler) != .counted, "all handlers count")

  for signal in [Signal.kill, .stop, Signal(rawValue: 32), Signal(rawValue: 0), Signal("RTMAX")!, Signal(rawValue: 65)]
  {
    let found = failure { () throws(SystemCallError) in try signal.setDisposition(.ignored) }
    try expectEqual(found, SystemCallError("sigaction", on: "\(signal)", code: .invalidArgument), "\(signal) ignored")
  }
  try expectEqual(try Signal.kill.disposition, .default, "SIGKILL")
  let found = failure { () throws(SystemCallError) in try Signal(rawValue: 65).disposition }
  try expectEqual(found?.code, .invalidArgument, "signal 65")

  try expectEqual(
    try end {
      try Signal.terminate.setDisposition(.handled { number in _exit(40 + number) })
      try Signal.terminate.raise()
      return 0
    }, .exited(code: 55), "a handler of C")
  try Signal.terminate.setDisposition(.ignored)
  try Signal.terminate.raise()
}

/// A child that sends signals, each when this process waits for something, and then runs `last`.
func sender(_ count: Int, of signal: Signal, _ last: () throws -> Void = {}) throws -> pid_t {
  let parent = getpid()
  return try forked {
    let deadline = Deadline(after: .seconds(20))
    for _ in 0..<count {
      while try !contents("/proc/\(parent)/stat").contains(") S ") {
        if deadline.isExpired { return 1 }
        sched_yield()
      }
      try signal.send(to: parent)
    }
    try last()
    return 0
  }
}

func countedSignalInterrupts(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  try expectEqual(Signal.user1.count, 0, "count at first")
  try Signal.user1.setDisposition(.counted)
  let child = try sender(1, of: .user1)
  var byte: UInt8 = 0
  try expect(read(reading.number, &byte, 1) == -1 && errno == EINTR, "the read was not interrupted")
  try expectEqual(Signal.user1.count, 1, "count")
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")

  let poller = try Poller()
  try poller.add(reading, .readable, token: 1)
  let second = try sender(1, of: .user1)
  let deadline = Deadline(after: .seconds(20))
  try expectEqual(poller.wait(milliseconds: 20_000) { _ in }, 0, "ready")
  try expect(!deadline.isExpired, "the poller was not interrupted")
  try expectEqual(Signal.user1.count, 2, "count")
  try expectEqual(try Children.wait(for: second), .exited(code: 0), "sender")

  // The library's own waiting and reading go on.
  let third = try sender(3, of: .user1) { try writing.writeAll("x") }
  try expectEqual(poller.wait(until: deadline) { _ in }, 1, "ready")
  try expectEqual(try readBytes(1, from: reading), [UInt8(ascii: "x")], "read")
  try expectEqual(Signal.user1.count, 5, "count")
  try expectEqual(try Children.wait(for: third), .exited(code: 0), "sender")
  try expectEqual(Signal.user2.count, 0, "count of another")
  try expectEqual(Signal(rawValue: -1).count + Signal(rawValue: 65).count, 0, "count of no signals")
}

func countedSignalRestarts(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  try Signal.user1.setDisposition(.counted, restartingCalls: true)
  let child = try sender(50, of: .user1) { try writing.writeAll("x") }
  var byte: UInt8 = 0
  try expect(read(reading.number, &byte, 1) == 1, "the read was interrupted")
  try expectEqual(Signal.user1.count, 50, "count")
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender")
}

/// Real-time signals are counted once for each that was sent, though the handler interrupts itself.
func countedStormIsExact(_ words: [String]) throws {
  try expect(ResourceLimit.pendingSignals.raise(to: 8000) >= 8000, "the queue of signals is too short here")
  let parent = getpid()
  let signals = [Signal.realTime(2)!, .realTime(3)!, .realTime(4)!]
  for signal in signals { try signal.setDisposition(.counted) }
  let children = try signals.map { signal in
    try forked {
      for value: CInt in 0..<1000 { try signal.send(value, to: parent) }
      return 0
    }
  }
  for child in children { try expectEqual(try Children.wait(for: child), .exited(code: 0), "sender") }
  for signal in signals { try expectEqual(signal.count, 1000, "count of \(signal)") }
}

// MARK: - Scopes

func scopePutsBackEverything(_ words: [String]) throws {
  let interrupt = Signal.interrupt
  try Signal.quit.setDisposition(.ignored)
  let answer = try Signal.withDisposition(.ignored, for: .interrupt, .quit, .interrupt) {
    try interrupt.raise()
    try expectEqual(try interrupt.disposition, .ignored, "outer scope")
    try Signal.withDisposition(.counted, for: .interrupt) {
      try interrupt.raise()
      try expectEqual(interrupt.count, 1, "count in the inner scope")
      try Signal.withDisposition(.default, for: [.interrupt]) {
        try expectEqual(try interrupt.disposition, .default, "innermost scope")
      }
      try expectEqual(try interrupt.disposition, .counted, "inner scope again")
    }
    try expectEqual(try interrupt.disposition, .ignored, "outer scope again")
    try interrupt.raise()
    return 42
  }
  try expectEqual(answer, 42, "what the body returns")
  try expectEqual(try interrupt.disposition, .default, "SIGINT afterwards")
  try expectEqual(try Signal.quit.disposition, .ignored, "SIGQUIT afterwards")
  try expectEqual(interrupt.count, 1, "count afterwards")

  for depth in 1...3 {
    let found = failure { try throwOut(depth) }
    try expectEqual((found as? SystemCallError)?.code, .fileExists, "what the body throws")
    try expectEqual(try interrupt.disposition, .default, "SIGINT after an error")
  }
  var hasRun = false
  let refused = failure { try Signal.withDisposition(.ignored, for: .interrupt, .kill) { hasRun = true } }
  try expectEqual(
    refused as? SystemCallError, SystemCallError("sigaction", on: "SIGKILL", code: .invalidArgument), "SIGKILL")
  try expect(!hasRun, "the body ran")
  try expectEqual(try interrupt.disposition, .default, "SIGINT after a refusal")
  // And it works: outside of the scope it ends the process.
  let status = try end {
    try Signal.withDisposition(.ignored, for: .interrupt) { try interrupt.raise() }
    try interrupt.raise()
    return 0
  }
  try expectEqual(status, .killed(by: .interrupt, dumpedCore: false), "SIGINT after the scope")
}

private func throwOut(_ depth: Int) throws {
  try Signal.withDisposition(depth % 2 == 0 ? .counted : .ignored, for: .interrupt) {
    if depth == 1 { throw SystemCallError("link", code: .fileExists) }
    try throwOut(depth - 1)
  }
}

/// One with three arguments, flags and a mask, as other libraries set them.
func scopePutsBackForeignHandlers(_ words: [String]) throws {
  var foreign = sigaction()
  foreign.__sigaction_handler.sa_sigaction = { number, information, _ in
    if information?.pointee.si_signo != number { _exit(9) }
  }
  foreign.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP
  for number in [SIGUSR1, SIGHUP] { sigaddset(&foreign.sa_mask, number) }
  try expect(sigaction(SIGTERM, &foreign, nil) == 0, "sigaction")
  let before = action(of: .terminate)
  try Signal.withDisposition(.counted, for: .terminate) {
    try expect(action(of: .terminate) != before, "nothing was set")
    try Signal.terminate.raise()
  }
  try expectEqual(action(of: .terminate), before, "the foreign action")
  try expect(before[0] != 0 && before[1] != 0 && before[2] & 7 != 0, "the foreign action was not set: \(before)")
  guard case .handled = try Signal.terminate.disposition else { throw Wrong(description: "not a handler") }
  try Signal.terminate.raise()
  try expectEqual(Signal.terminate.count, 1, "count")
}

/// All that sigaction(2) tells: handler, mask, flags and return path.  Of its mask the C library fills in only what the
/// kernel has.
private func action(of signal: Signal) -> [UInt] {
  var action = sigaction()
  sigaction(signal.rawValue, nil, &action)
  let handlerAndMask = withUnsafeBytes(of: &action) { Array($0.prefix(16).bindMemory(to: UInt.self)) }
  return handlerAndMask + [UInt(UInt32(bitPattern: action.sa_flags)), unsafeBitCast(action.sa_restorer, to: UInt.self)]
}
