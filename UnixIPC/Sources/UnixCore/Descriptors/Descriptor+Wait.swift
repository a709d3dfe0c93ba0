import CPlatform
import Glibc

extension Descriptor {
  /// Waits until reading or writing would not block.
  ///
  /// The end of a file, a failure and a hang-up count as ready: the call that follows reports them.
  ///
  /// - Returns: false at the deadline, also at one of `withDeadline`, and when the wait is cancelled.
  ///
  /// Source: poll(2).
  public func wait(
    for readiness: Poller.Interest, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) -> Bool {
    waitEnd(for: readiness, until: deadline, cancelledBy: cancellation) == .ready
  }

  /// Whether the peer of a connected socket or of a pipe has closed it, whatever is still to be read.
  ///
  /// Source: POLLHUP in poll(2).
  @_spi(Begat) public var hasHungUp: Bool {
    var query = pollfd(fd: number, events: 0, revents: 0)
    return poll(&query, 1, 0) > 0 && query.revents & Int16(POLLHUP) != 0
  }

  /// Waits until there is something to read, whatever deadline the calling thread is under; it may return early.
  ///
  /// Source: poll(2).
  package func waitForInput(untilExactly deadline: Deadline) {
    var query = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    let limit = Deadline.now.duration(to: deadline).nanoseconds / 1_000_000
    // A longer time than poll(2) can express is waited for in parts.
    poll(&query, 1, deadline == .never ? -1 : CInt(clamping: max(0, limit) + 1))
  }

  /// Waits until there is something to read, whatever deadline the calling thread is under, and without a look at a clock,
  /// which a process that was just forked would pay for.
  ///
  /// - Parameter left: how long to wait; the time that passed is taken off.
  /// - Returns: false when the time is over, and when waiting fails.
  ///
  /// Source: ppoll(2).
  @_spi(Begat) public func waitForInput(_ left: inout timespec) -> Bool {
    while true {
      let count = platform_wait_for_input(number, &left)
      if count != -1 || errno != EINTR { return count > 0 }
    }
  }

  /// How a wait for a descriptor ended.
  package enum WaitEnd {
    case ready
    /// The cancellation came first, or at the same time: a busy peer cannot hold it up.
    case cancelled
    case timedOut
  }

  /// Waits as `wait(for:until:cancelledBy:)` does, and returns why the wait ended.
  package func waitEnd(
    for readiness: Poller.Interest, until deadline: Deadline, cancelledBy cancellation: Cancellation?
  ) -> WaitEnd {
    withExtendedLifetime(cancellation) {
      switch wait(for: readiness, or: cancellation?.number, until: deadline) {
      case .itself: .ready
      case .other: .cancelled
      case .neither: .timedOut
      }
    }
  }

  /// Waits as `wait(for:until:cancelledBy:)` does, for a call that fails when its wait does.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when the wait is cancelled.
  package func await(
    _ readiness: Poller.Interest, until deadline: Deadline, cancelledBy cancellation: Cancellation?, for call: String,
    on object: @autoclosure () -> String? = nil
  ) throws(SystemCallError) {
    switch waitEnd(for: readiness, until: deadline, cancelledBy: cancellation) {
    case .ready: return
    case .cancelled: throw SystemCallError(call, on: object(), code: .canceled)
    case .timedOut: throw SystemCallError(call, on: object(), code: .timedOut)
    }
  }

  /// Which of two descriptors has something to read.
  private enum Readable {
    case itself
    /// The other one, whatever this one has.
    case other
    case neither
  }

  private func wait(for readiness: Poller.Interest, or other: CInt?, until deadline: Deadline) -> Readable {
    guard let other else { return isReady(for: readiness, until: deadline) ? .itself : .neither }
    var set = PollSet()
    set.add(number, readiness)
    set.add(other, .readable)
    guard (try? set.wait(until: deadline)) ?? true else { return .neither }
    return set[1].isEmpty ? .itself : .other
  }

  /// The wait of every process that was just forked: on a small piece of stack, as each new page of it is paid for.
  private func isReady(for readiness: Poller.Interest, until deadline: Deadline) -> Bool {
    var query = pollfd(fd: number, events: Int16(truncatingIfNeeded: readiness.rawValue), revents: 0)
    do throws(SystemCallError) {
      return try PollSet.repeatPoll(until: deadline) { poll(&query, 1, $0) }
    } catch { return true }
  }
}
