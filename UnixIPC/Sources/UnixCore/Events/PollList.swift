import Glibc

/// Waits until one of any number of descriptors has something to read, each known by its index in the order of adding.
///
/// ``PollSet`` does the same for a few descriptors without allocating.
///
/// Source: poll(2).
package struct PollList {
  private var queries: [pollfd] = []

  package init() {}

  /// Adds a descriptor; -1 takes up an index and is never ready.
  package mutating func add(_ number: CInt) {
    queries.append(pollfd(fd: number, events: Int16(POLLIN), revents: 0))
  }

  /// The index of the first descriptor that was ready when the last wait ended.
  package var firstReady: Int? { queries.firstIndex { $0.revents != 0 } }

  /// Waits until a descriptor is ready; false at the deadline, also at one of `withDeadline`.
  ///
  /// - Throws: `ENOMEM`, or `EINVAL` for more descriptors than the process may open.
  package mutating func wait(until deadline: Deadline) throws(SystemCallError) -> Bool {
    try PollSet.repeatPoll(until: deadline) { poll(&queries, nfds_t(queries.count), $0) }
  }
}
