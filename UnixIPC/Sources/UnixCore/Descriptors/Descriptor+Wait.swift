import Glibc

extension Descriptor {
  /// Waits until reading or writing would not wait; false at the deadline, also at one of `withDeadline`.
  ///
  /// The end of a file, a failure and a hang-up count as ready: the call that follows tells.
  ///
  /// Source: poll(2).
  public func wait(for readiness: Poller.Interest, until deadline: Deadline) -> Bool {
    var query = pollfd(fd: number, events: Int16(truncatingIfNeeded: readiness.rawValue), revents: 0)
    let deadline = min(deadline, .ofThread)
    while true {
      let count = poll(&query, 1, deadline.milliseconds)
      // A signal interrupts it: then again, with what is left.
      if count > 0 || count == -1 && ErrorCode.current != .interrupted { return true }
      if deadline.hasPassed { return false }
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
    var queries = (
      pollfd(fd: number, events: Int16(POLLIN), revents: 0), pollfd(fd: other ?? -1, events: Int16(POLLIN), revents: 0)
    )
    let deadline = min(deadline, .ofThread)
    while true {
      let count = withUnsafeMutableBytes(of: &queries) { bytes in
        poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, deadline.milliseconds)
      }
      if count > 0 { return queries.1.revents != 0 ? .other : .itself }
      // A signal interrupts it: then again, with what is left.
      if count == -1, ErrorCode.current != .interrupted { return .itself }
      if deadline.hasPassed { return .neither }
    }
  }

  /// Waits until there is something to receive, the end of the stream included; false after the time.
  ///
  /// - Parameter milliseconds: -1 waits for ever.
  ///
  /// Source: poll(2).
  public func waitUntilReadable(milliseconds: CInt) -> Bool {
    var query = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    return poll(&query, 1, milliseconds) > 0
  }
}
