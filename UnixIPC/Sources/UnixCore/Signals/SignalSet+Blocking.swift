import CPlatform
import Glibc

// A thread's mask: what is in it waits until it is taken or unblocked, each standard signal once however often it came.
extension SignalSet {
  /// The calling thread's blocked signals.
  ///
  /// Source: pthread_sigmask(3).
  public static var blocked: SignalSet {
    var set = SignalSet()
    set.bits = SignalSet.mask.bits
    return set
  }

  /// The mask as it is, `SIGRTMAX` included where something else has blocked it.
  package static var mask: SignalSet {
    var set = SignalSet()
    pthread_sigmask(SIG_BLOCK, nil, &set.native)
    return set
  }

  /// The signals that were sent to the process or the calling thread, are blocked, and are not taken yet.
  ///
  /// Source: sigpending(2).
  public static var pending: SignalSet {
    var set = SignalSet()
    sigpending(&set.native)
    set.bits = set.bits
    return set
  }

  /// Makes this the calling thread's mask: its signals stay pending until they are taken, and all others are delivered.
  ///
  /// Source: pthread_sigmask(3).
  public func setThreadMask() {
    withUnsafePointer(to: native) { _ = platform_set_signal_mask($0) }
  }

  /// Adds these signals to the calling thread's blocked ones.
  ///
  /// Threads that it starts later inherit the mask.  Source: pthread_sigmask(3).
  public func block() {
    withUnsafePointer(to: native) { _ = pthread_sigmask(SIG_BLOCK, $0, nil) }
  }

  /// Takes these signals out of the calling thread's blocked ones.
  ///
  /// A pending one is delivered before the call returns.  Source: pthread_sigmask(3).
  public func unblock() {
    withUnsafePointer(to: native) { _ = pthread_sigmask(SIG_UNBLOCK, $0, nil) }
  }

  /// Runs the body with these signals blocked too; on every way out, the thread's mask is again what it was before.
  ///
  /// A signal that came meanwhile and was not taken is delivered at the end.
  ///
  /// - Throws: the body's error.
  public func withBlocked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let former = SignalSet.mask
    block()
    defer { former.setThreadMask() }
    return try body()
  }

  /// Takes one of these signals, after waiting for it.  No handler runs.
  ///
  /// They must be blocked, in all threads, from before they can be sent: a signal that comes between two waits is then still
  /// pending, where otherwise its disposition would have decided.  The lowest number comes first, and a real-time signal
  /// comes as often as it was sent, in that order.  A program with `async` code cannot keep a signal blocked in all threads:
  /// it uses ``SignalDescriptor``.
  ///
  /// - Returns: nil at the deadline, also at one of `withDeadline`.
  ///
  /// Source: sigtimedwait(2).
  public func wait(until deadline: Deadline = .never) -> SignalArrival? {
    while true {
      if let arrival = take(within: deadline.remaining?.nanoseconds ?? -1) { return arrival }
      // A handler of another signal interrupts it: then again, with what is left.
      if deadline.isExpired { return nil }
    }
  }

  /// - Parameter nanoseconds: less than 0 waits forever.
  /// - Returns: nil after the time, and when a handler of another signal ran.
  func take(within nanoseconds: Int64) -> SignalArrival? {
    var arrival = platform_arrival()
    let number = withUnsafePointer(to: native) { platform_take_signal($0, nanoseconds, &arrival) }
    return number > 0 ? SignalArrival(arrival) : nil
  }
}
