extension Descriptor {
  /// Waits until reading or writing would not wait; false at the deadline, also at one of `withDeadline`.
  ///
  /// The end of a file, a failure and a hang-up count as ready: the call that follows tells.
  ///
  /// Source: poll(2).
  public func wait(for readiness: Poller.Interest, until deadline: Deadline) -> Bool {
    var set = PollSet()
    set.add(number, readiness)
    return (try? set.wait(until: deadline)) ?? true
  }

  /// Which of two descriptors has something to read.
  enum Readable {
    case itself
    /// The other one, whatever this one has.
    case other
    case neither
  }

  /// Waits until one of two has something to read, the end included; `neither` at the deadline, also at one of
  /// `withDeadline`.
  ///
  /// Source: poll(2).
  func waitUntilReadable(or other: CInt?, until deadline: Deadline) -> Readable {
    var set = PollSet()
    set.add(number, .readable)
    set.add(other ?? -1, .readable)
    guard (try? set.wait(until: deadline)) ?? true else { return .neither }
    return set[1].isEmpty ? .itself : .other
  }

  /// Waits until there is something to receive, the end of the stream included; false after the time.
  ///
  /// - Parameter milliseconds: -1 waits for ever.
  ///
  /// Source: poll(2).
  public func waitUntilReadable(milliseconds: CInt) -> Bool {
    var set = PollSet()
    set.add(number, .readable)
    return set.poll(milliseconds: milliseconds) > 0
  }
}
