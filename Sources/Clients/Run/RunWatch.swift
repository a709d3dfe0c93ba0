import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Watches commands until they end, and passes on signals and, where it is counted, their output.
///
/// They stay in the caller's process group: they read from the terminal, and its keys reach them, as if this
/// process were not there.
struct RunWatch: ~Copyable {
  enum Ending {
    /// All of them, and all that they printed is written.
    case ended
    case timeUp
    case outputExceeded
  }

  private let stages: PipelineProcesses
  private let signals: SignalQueue
  private let copy: BoundedCopy?

  /// The signals that are passed on besides requests to end: all that would end this process and leave the commands
  /// running.
  private static let others = SignalSet(Signal.all.filter { $0.defaultAction == .terminate })
    .subtracting(SignalSet(.kill, .brokenPipe, .hangUp, .interrupt, .terminate))
    .subtracting(StartSignals.ignored)

  /// All that is passed on.
  static let passed = SignalSet.terminationRequests.union(others)

  /// - Parameter signals: `queue()`, from before the stages were started.
  init(_ stages: PipelineProcesses, signals: consuming SignalQueue, copy: BoundedCopy?) {
    self.stages = stages
    self.signals = signals
    self.copy = copy
  }

  static func queue() throws(SystemCallError) -> SignalQueue {
    try SignalQueue(passed.union(SignalSet(.child)))
  }

  borrowing func run(until deadline: Deadline) throws(SystemCallError) -> Ending {
    var isRequestedToEnd = false
    while true {
      // timeout(1) takes SIGALRM for the end of the time.
      if takeSignals(&isRequestedToEnd), deadline != .never { return .timeUp }
      let haveEnded = !stages.statuses.contains(nil)
      // Also of a command that has ended before all of its output was read.
      if copy?.isExceeded ?? false { return .outputExceeded }
      if haveEnded, copy?.isDone ?? true { return .ended }
      if deadline.isExpired { return .timeUp }
      // A background process may still have the output open; a command that is to end does not wait for it.
      let isLeaving = haveEnded && isRequestedToEnd
      let ready = wait(until: isLeaving ? Deadline.immediate : deadline)
      if isLeaving, !ready.input, !ready.output { return .ended }
      if ready.input { try copy?.fill() }
      if ready.output { copy?.drain() }
    }
  }

  private func wait(until deadline: Deadline) -> (input: Bool, output: Bool) {
    var set = PollSet()
    set.add(signals.descriptor.number, .readable)
    let input = set.add(copy?.inputNumber ?? -1, .readable)
    let output = set.add(copy?.outputNumber ?? -1, .writable)
    _ = try? set.wait(until: deadline)
    return (!set[input].isEmpty, !set[output].isEmpty)
  }

  /// How many signals are taken before the time limit is looked at: programs can send them without end.
  private static let signalsPerTurn = 64

  /// - Returns: whether SIGALRM has come.
  private func takeSignals(_ isRequestedToEnd: inout Bool) -> Bool {
    var isAlarmed = false
    for _ in 0..<Self.signalsPerTurn {
      guard let arrival = signals.take() else { break }
      switch arrival.signal {
      case .child: reapOrphans()
      case .alarm:
        isAlarmed = true
        pass(arrival)
      default:
        if !Self.others.contains(arrival.signal) { isRequestedToEnd = true }
        pass(arrival)
      }
    }
    return isAlarmed
  }

  /// Those that were adopted: the stages have an owner, which reaps them.
  private func reapOrphans() { while Children.reapAny() != nil {} }

  private func pass(_ arrival: SignalArrival) {
    for (process, status) in zip(stages.processes, stages.statuses) where status == nil && !arrival.hasReached(process)
    {
      // A session of its own has no terminal that sends it to the whole group.
      if arrival.isFromTerminal, (try? arrival.signal.send(toGroup: process)) != nil { continue }
      try? arrival.signal.send(to: process)
    }
  }
}

extension SignalArrival {
  /// Whether it was a key at the terminal, or the terminal's end: for all that runs there.
  ///
  /// Timers and limits are the kernel's too, and mean this process alone.
  var isFromTerminal: Bool { isFromKernel && [.interrupt, .quit, .hangUp].contains(signal) }

  /// Whether it has reached the whole group of this process already.
  func hasReached(_ process: pid_t) -> Bool {
    isFromTerminal && (try? ProcessControl.group(of: process)) == ProcessControl.ownGroup
  }
}
