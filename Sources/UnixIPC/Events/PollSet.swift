import Glibc

/// Waits for a few descriptors at once, each known by its index in the order of adding.
///
/// It is a value without memory of its own: it allocates nothing.  Make a new one for each wait; for many descriptors
/// that stay the same there is `Poller`.
///
/// Source: poll(2).
public struct PollSet {
  /// How many descriptors it has room for.
  public static let capacity = 6

  private var queries = (pollfd(), pollfd(), pollfd(), pollfd(), pollfd(), pollfd())
  /// How many descriptors were added.
  public private(set) var count = 0

  /// An empty set.
  public init() {}

  /// Adds a descriptor.
  ///
  /// - Parameter number: -1 takes up an index and is never ready.
  /// - Parameter interest: hang-up and failure are reported unasked, with an empty interest they alone.
  /// - Returns: its index.
  @discardableResult
  public mutating func add(_ number: CInt, _ interest: Poller.Interest) -> Int {
    precondition(count < PollSet.capacity, "a PollSet has room for \(PollSet.capacity) descriptors")
    let place = count * MemoryLayout<pollfd>.stride
    let query = pollfd(fd: number, events: Int16(truncatingIfNeeded: interest.rawValue), revents: 0)
    withUnsafeMutableBytes(of: &queries) { $0.storeBytes(of: query, toByteOffset: place, as: pollfd.self) }
    count += 1
    return count - 1
  }

  /// What the descriptor was ready for when the last wait ended.
  public subscript(index: Int) -> Poller.Interest {
    precondition(index >= 0 && index < count)
    return withUnsafeBytes(of: queries) { bytes in
      let query = bytes.load(fromByteOffset: index * MemoryLayout<pollfd>.stride, as: pollfd.self)
      return Poller.Interest(rawValue: UInt32(UInt16(bitPattern: query.revents)))
    }
  }

  /// Waits until a descriptor is ready; false at the deadline, also at one of `withDeadline`.
  ///
  /// After a signal it goes on with the time that is left.
  ///
  /// - Throws: `ENOMEM`, or `EINVAL` for more descriptors than the process may open.
  public mutating func wait(until deadline: Deadline) throws(Errno) -> Bool {
    while true {
      do throws(Errno) { return try waitInterruptibly(until: deadline) } catch {
        guard error == .interrupted else { throw error }
        if min(deadline, .ofThread).hasPassed { return false }
      }
    }
  }

  /// Waits as `wait(until:)` does, but ends when a signal's handler has run.
  ///
  /// - Throws: `EINTR` after a signal.
  public mutating func waitInterruptibly(until deadline: Deadline) throws(Errno) -> Bool {
    let deadline = min(deadline, .ofThread)
    while true {
      let found = poll(milliseconds: deadline.milliseconds)
      if found > 0 { return true }
      if found == -1 { throw .current }
      if deadline.hasPassed { return false }
    }
  }

  /// Looks what is ready, without waiting.
  public mutating func look() { _ = poll(milliseconds: 0) }

  /// What a descriptor is ready for now.
  public static func readiness(of number: CInt, for interest: Poller.Interest) -> Poller.Interest {
    var set = PollSet()
    let index = set.add(number, interest)
    set.look()
    return set[index]
  }

  /// Does nothing for a while, for conditions that no descriptor announces.
  public static func pause(_ duration: Duration) {
    var nothing = PollSet()
    _ = try? nothing.wait(until: Deadline(after: duration))
  }

  /// - Returns: how many are ready; -1 with `errno` set.
  mutating func poll(milliseconds: CInt) -> CInt {
    let count = nfds_t(count)
    return withUnsafeMutableBytes(of: &queries) { bytes in
      Glibc.poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), count, milliseconds)
    }
  }
}
