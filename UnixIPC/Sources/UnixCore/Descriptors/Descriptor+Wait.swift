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
      switch wait(for: Int16(truncatingIfNeeded: readiness.rawValue), or: cancellation?.number, until: deadline) {
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
  package enum Readable {
    case itself
    /// The other one, whatever this one has.
    case other
    case neither
  }

  /// Waits until one of two has something to read, the end included; `neither` at the deadline, also at one of
  /// `withDeadline`.
  ///
  /// Source: poll(2).
  package func waitUntilReadable(or other: CInt?, until deadline: Deadline) -> Readable {
    wait(for: Int16(POLLIN), or: other, until: deadline)
  }

  private func wait(for events: Int16, or other: CInt?, until deadline: Deadline) -> Readable {
    var queries = (
      pollfd(fd: number, events: events, revents: 0), pollfd(fd: other ?? -1, events: Int16(POLLIN), revents: 0)
    )
    let deadline = min(deadline, .current)
    while true {
      let count = withUnsafeMutableBytes(of: &queries) { bytes in
        poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), other == nil ? 1 : 2, deadline.milliseconds)
      }
      if count > 0 { return queries.1.revents != 0 ? .other : .itself }
      // A signal interrupts it: then again, with what is left.
      if count == -1, ErrorCode.current != .interrupted { return .itself }
      if deadline.isExpired { return .neither }
    }
  }
}
