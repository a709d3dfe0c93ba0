@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Watches commands until they end, and passes on signals and, where it is counted, their output.
///
/// They stay in the caller's process group: they read from the terminal, and its keys reach them, as if nobody stood
/// between.
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

  /// What is passed on, beside what asks to end.
  private static let others = SignalSet(.user1, .user2).subtracting(StartSignals.ignored)

  /// - Parameter signals: `queue()`, from before the stages were started.
  init(_ stages: PipelineProcesses, signals: consuming SignalQueue, copy: BoundedCopy?) {
    self.stages = stages
    self.signals = signals
    self.copy = copy
  }

  static func queue() throws(SystemCallError) -> SignalQueue {
    try SignalQueue(SignalSet.terminationRequests.union(others).union(SignalSet(.child)))
  }

  borrowing func run(until deadline: Deadline) throws(SystemCallError) -> Ending {
    var isRequestedToEnd = false
    while true {
      takeSignals(&isRequestedToEnd)
      let haveEnded = !stages.statuses.contains(nil)
      if haveEnded, copy?.isDone ?? true { return .ended }
      if copy?.isExceeded ?? false { return .outputExceeded }
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

  private func takeSignals(_ isRequestedToEnd: inout Bool) {
    for _ in 0..<Self.signalsPerTurn {
      guard let arrival = signals.take() else { return }
      if arrival.signal == .child {
        reapOrphans()
      } else {
        if !Self.others.contains(arrival.signal) { isRequestedToEnd = true }
        pass(arrival)
      }
    }
  }

  /// Those that were adopted: the stages have an owner, which reaps them.
  private func reapOrphans() { while Children.reapAny() != nil {} }

  private func pass(_ arrival: SignalArrival) {
    for (process, status) in zip(stages.processes, stages.statuses) where status == nil {
      // A key at the terminal has reached the whole group already.
      let isThere = arrival.isFromKernel && (try? ProcessControl.group(of: process)) == ProcessControl.ownGroup
      if !isThere { try? arrival.signal.send(to: process) }
    }
  }
}
