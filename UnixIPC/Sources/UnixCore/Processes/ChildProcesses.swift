import Glibc

/// A set of children with one owner, for a program that keeps several and acts when one ends.
///
///     var workers = ChildProcesses()
///     for _ in 0..<5 { workers.add(try worker.spawn()) }
///     while let ended = try workers.waitForAny(cancelledBy: stop) {
///       print("\(ended.process): \(ended.status)")
///       workers.add(try worker.spawn())
///     }
///
/// When the owner lets go of the set, its children are killed and reaped.
public struct ChildProcesses: ~Copyable, Sendable {
  /// A child that has ended and is reaped.
  public struct Ended: Hashable, Sendable {
    /// The number that the child had.
    public let process: pid_t
    /// How it ended.
    public let status: ExitStatus
  }

  private var boxes: [ChildBox] = []

  /// Creates an empty set.
  public init() {}

  /// How many children are in the set, including those that have ended and were not waited for.
  public var count: Int { boxes.count }

  /// Whether no child is in the set.
  public var isEmpty: Bool { boxes.isEmpty }

  /// The children's numbers, in the order in which they were added.
  public var processes: [pid_t] { boxes.map { $0.child.process } }

  /// Adds a child, which the set owns from now on.
  public mutating func add(_ child: consuming ChildProcess) { boxes.append(ChildBox(child)) }

  /// Sends a signal to every child, as `ChildProcess.send` does.
  public func send(_ signal: Signal) {
    for box in boxes { box.child.send(signal) }
  }

  /// Sends a signal to one child, as `ChildProcess.send` does.
  ///
  /// - Returns: false if no child of that number is in the set.
  @discardableResult
  public func send(_ signal: Signal, to process: pid_t) -> Bool {
    guard let box = boxes.first(where: { $0.child.process == process }) else { return false }
    box.child.send(signal)
    return true
  }

  /// Waits until a child has ended, reaps it and removes it from the set.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: the child; of several that have ended, the one that was added first; nil if the set is empty.
  /// - Throws: `ETIMEDOUT` if none has ended by the deadline, or by one of `withDeadline`; `ECANCELED`.
  ///
  /// Source: pidfd_open(2), poll(2).
  public mutating func waitForAny(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> Ended? {
    guard !boxes.isEmpty else { return nil }
    let place = try firstEnded(until: deadline, cancelledBy: cancellation)
    let box = boxes[place]
    // This does not wait, unless a debugger has the child.
    let status = try box.child.waitForExit(until: deadline, cancelledBy: cancellation)
    boxes.remove(at: place)
    return Ended(process: box.child.process, status: status)
  }

  /// Waits until all children have ended, reaps them and removes them from the set.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: the children, in the order in which they were added.
  /// - Throws: `ETIMEDOUT` if one has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  All stay in
  ///   the set then.
  public mutating func waitForAll(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [Ended] {
    var ended: [Ended] = []
    for box in boxes {
      let status = try box.child.waitForExit(until: deadline, cancelledBy: cancellation)
      ended.append(Ended(process: box.child.process, status: status))
    }
    boxes = []
    return ended
  }

  /// Ends all children, reaps them and removes them from the set: SIGTERM to all, and SIGKILL to those that have not
  /// ended within the grace period, which all have together.
  ///
  /// - Returns: the children, in the order in which they were added.
  @discardableResult
  public mutating func terminate(gracePeriod: Duration = .seconds(5)) -> [Ended] {
    let statuses = boxes.terminate(gracePeriod: gracePeriod)
    defer { boxes = [] }
    return zip(boxes, statuses).map { Ended(process: $0.child.process, status: $1) }
  }

  /// The place of an ended child.
  private func firstEnded(until deadline: Deadline, cancelledBy cancellation: Cancellation?) throws(SystemCallError)
    -> Int
  {
    defer { withExtendedLifetime(cancellation) {} }
    var list = PollList()
    for box in boxes { list.add(box.child.handle.descriptor.number) }
    list.add(cancellation?.number ?? -1)
    guard try list.wait(until: deadline), let place = list.firstReady else {
      throw SystemCallError("poll", on: "children", code: .timedOut)
    }
    if place == boxes.count { throw SystemCallError("poll", on: "children", code: .canceled) }
    return place
  }
}

extension [ChildBox] {
  /// Ends all children together.
  package func terminate(gracePeriod: Duration) -> [ExitStatus] {
    requestEnd()
    return endOrKill(gracePeriod: gracePeriod)
  }

  /// The halves of `terminate`, as a child has them.
  package func requestEnd() { for box in self { box.child.requestEnd() } }

  package func endOrKill(gracePeriod: Duration) -> [ExitStatus] {
    let deadline = Deadline(after: gracePeriod)
    return map { box in
      _ = box.child.status(until: deadline)
      return box.child.endOrKill(gracePeriod: .zero)
    }
  }
}
