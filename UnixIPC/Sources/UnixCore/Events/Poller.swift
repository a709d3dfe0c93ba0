import CPlatform

/// Waits for many descriptors at once and reports which are ready, by a number that the caller gave to each.
///
/// Any thread may use it.  A descriptor must be removed before it is closed if its open file has other descriptors, as after
/// a fork or a duplication: otherwise its events go on.
///
/// Source: epoll(7).
public struct Poller: ~Copyable, Sendable {
  /// What a descriptor is watched for, or ready for.
  public struct Interest: OptionSet, Sendable {
    /// The bits of epoll_ctl(2) and of poll(2).
    public let rawValue: UInt32
    /// Creates a set from the bits of epoll_ctl(2).
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reading would not block: there are bytes, a connection, the end of the stream or an error.
    public static let readable = Interest(rawValue: EPOLLIN.rawValue)
    /// Writing would not block.
    public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    /// The other side sends nothing more, or hung up.
    @_spi(Begat) public static let endOfSending = Interest(rawValue: UInt32(hangUpOfOneDirection))
    /// Each change is reported once, instead of a state for as long as it lasts (`EPOLLET`).
    public static let announcedOnce = Interest(rawValue: EPOLLET.rawValue)
    /// Only one or a few of the pollers that watch the same open file wake for an event (`EPOLLEXCLUSIVE`).
    @_spi(Begat) public static let exclusive = Interest(rawValue: EPOLLEXCLUSIVE.rawValue)
    /// The descriptor has an error; always reported.
    public static let failed = Interest(rawValue: EPOLLERR.rawValue)
    /// The other side hung up; always reported.
    public static let hungUp = Interest(rawValue: EPOLLHUP.rawValue)
  }

  /// A descriptor that is ready.
  public struct Event: Sendable {
    /// The number that the descriptor was added with.
    public let token: UInt64
    /// What the descriptor is ready for.
    public let ready: Interest
  }

  /// Readable while one of the watched descriptors is ready, so that one poller may watch another.
  public let descriptor: Descriptor

  /// Creates a poller that watches nothing.
  ///
  /// - Throws: `EMFILE` or `ENFILE` when there is no descriptor left.
  public init() throws(SystemCallError) {
    descriptor = Descriptor(owning: try check("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) })
  }

  /// Watches a descriptor from now on.
  ///
  /// - Parameter descriptor: stays its owner's, who keeps it open while it is watched.
  /// - Parameter interest: what it is watched for.
  /// - Parameter token: the number that comes back with its events.
  /// - Throws: `EEXIST` if it is watched already, `EPERM` for a file that is always ready, such as a regular one.
  public func add(_ descriptor: borrowing Descriptor, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try add(descriptor.number, interest, token: token)
  }

  /// Watches a descriptor for something else from now on, with another number.
  ///
  /// - Throws: `ENOENT` if it is not watched.
  public func change(_ descriptor: borrowing Descriptor, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try change(descriptor.number, interest, token: token)
  }

  /// Stops watching a descriptor.
  ///
  /// - Throws: `ENOENT` if it is not watched.
  public func remove(_ descriptor: borrowing Descriptor) throws(SystemCallError) { try remove(descriptor.number) }

  /// Waits until a descriptor is ready, and calls `body` for each that is.
  ///
  /// When more are ready than one call reports, the next call reports the others first.
  ///
  /// - Parameter deadline: when the wait ends; `.immediate` only looks.
  /// - Parameter cancellation: ends the wait.
  /// - Parameter maxCount: how many events one call reports at most; 1 to 65,536.
  /// - Parameter body: receives the events.
  /// - Returns: how many were ready; 0 at the deadline, also at one of `withDeadline`, and when the wait is cancelled.
  /// - Throws: the body's error; the next call reports the events after it, except those announced once.
  ///
  /// Source: epoll_wait(2).
  @discardableResult
  public func wait(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil, maxCount: Int = 64,
    _ body: (Event) throws -> Void
  ) rethrows -> Int {
    while true {
      // Without a cancellation, epoll_wait(2) itself waits.
      if cancellation != nil, !descriptor.wait(for: .readable, until: deadline, cancelledBy: cancellation) { return 0 }
      let limit = cancellation == nil ? deadline.milliseconds : 0
      let count = try wait(milliseconds: limit, maxCount: max(1, min(maxCount, 1 << 16)), body)
      // A signal interrupts it: then again, with what is left.
      if count > 0 || deadline.isExpired { return count }
    }
  }
}

@_spi(Begat) extension Poller {
  public func add(_ number: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try control(EPOLL_CTL_ADD, number, interest, token)
  }

  public func change(_ number: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try control(EPOLL_CTL_MOD, number, interest, token)
  }

  public func remove(_ number: CInt) throws(SystemCallError) { try control(EPOLL_CTL_DEL, number, [], 0) }

  private func control(_ operation: CInt, _ number: CInt, _ interest: Interest, _ token: UInt64) throws(SystemCallError)
  {
    var event = epoll_event()
    event.events = interest.rawValue
    event.data.u64 = token
    _ = try check("epoll_ctl", onDescriptor: number) { epoll_ctl(descriptor.number, operation, number, &event) }
  }

  /// Waits once: a signal's handler ends the wait, with 0.
  ///
  /// - Parameter milliseconds: how long to wait; -1 is forever.
  @discardableResult
  public func wait(milliseconds: CInt, maxCount: Int = 16, _ body: (Event) throws -> Void) rethrows -> Int {
    try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: maxCount) { events in
      let found = epoll_wait(descriptor.number, events.baseAddress, CInt(clamping: maxCount), milliseconds)
      let count = max(0, Int(found))
      for event in events[..<count] {
        try body(Event(token: event.data.u64, ready: Interest(rawValue: event.events)))
      }
      return count
    }
  }
}
