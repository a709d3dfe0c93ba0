import CPlatform

/// Waits for many descriptors at once and tells which are ready, by a number that the caller gave each.
///
/// Source: epoll(7).
public struct Poller: ~Copyable, Sendable {
  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Interest(rawValue: EPOLLIN.rawValue)
    public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    /// Reports each change once, not a state as long as it lasts.
    public static let announcedOnce = Interest(rawValue: EPOLLET.rawValue)
    /// Reported without being asked for.
    public static let failed = Interest(rawValue: EPOLLERR.rawValue)
    public static let hungUp = Interest(rawValue: EPOLLHUP.rawValue)
  }

  /// A descriptor that is ready.
  public struct Event: Sendable {
    public let token: UInt64
    public let ready: Interest
  }

  public let descriptor: Descriptor

  public init() throws(SystemCallError) {
    descriptor = Descriptor(owning: try check("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) })
  }

  /// Watches a descriptor from now on; `token` comes back with its events.
  public func add(_ number: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try control(EPOLL_CTL_ADD, number, interest, token)
  }

  public func change(_ number: CInt, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    try control(EPOLL_CTL_MOD, number, interest, token)
  }

  /// Stops watching.  Needed before closing a descriptor whose open file has other descriptors.
  public func remove(_ number: CInt) throws(SystemCallError) { try control(EPOLL_CTL_DEL, number, [], 0) }

  private func control(_ operation: CInt, _ number: CInt, _ interest: Interest, _ token: UInt64) throws(SystemCallError)
  {
    var event = epoll_event()
    event.events = interest.rawValue
    event.data.u64 = token
    _ = try check("epoll_ctl") { epoll_ctl(descriptor.number, operation, number, &event) }
  }

  /// Calls `body` for each descriptor that is ready, at most 16 of them, after waiting for the first.
  ///
  /// - Parameter milliseconds: how long to wait at most; -1 for ever, 0 not at all.
  /// - Returns: how many were ready; 0 after the time.
  @discardableResult
  public func wait(milliseconds: CInt, _ body: (Event) throws -> Void) rethrows -> Int {
    try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 16) { events in
      // A signal cannot interrupt: those expected are blocked.  One that can leaves nothing ready: wait again later.
      let count = max(0, Int(epoll_wait(descriptor.number, events.baseAddress, 16, milliseconds)))
      for event in events[..<count] {
        try body(Event(token: event.data.u64, ready: Interest(rawValue: event.events)))
      }
      return count
    }
  }
}
