import CPlatform
import Glibc

// A thread's mask: what is in it waits until it is taken or unblocked, each standard signal once however often it came.
extension SignalSet {
  /// The calling thread's blocked signals.
  ///
  /// Source: pthread_sigmask(3).
  public static var blocked: SignalSet {
    var set = SignalSet()
    pthread_sigmask(SIG_BLOCK, nil, &set.native)
    return set
  }

  /// What has been sent to the process or the calling thread, is blocked, and is not taken yet.
  ///
  /// Source: sigpending(2).
  public static var pending: SignalSet {
    var set = SignalSet()
    sigpending(&set.native)
    return set
  }

  /// Makes this the calling thread's set of blocked signals: they wait, each announced once, until they are taken.
  ///
  /// Source: pthread_sigmask(3).
  public func becomeMask() {
    withUnsafePointer(to: native) { _ = platform_set_signal_mask($0) }
  }

  /// Adds these signals to the calling thread's blocked ones.
  public func block() {
    withUnsafePointer(to: native) { _ = pthread_sigmask(SIG_BLOCK, $0, nil) }
  }

  /// Takes these signals out of the calling thread's blocked ones; what is pending of them is delivered before it
  /// returns.
  public func unblock() {
    withUnsafePointer(to: native) { _ = pthread_sigmask(SIG_UNBLOCK, $0, nil) }
  }

  /// Runs the body with these signals blocked too; on every way out, the thread's mask is again what it was before.
  ///
  /// What came meanwhile and was not taken is delivered at the end.
  public func withBlocked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let former = SignalSet.blocked
    block()
    defer { former.setThreadMask() }
    return try body()
  }

  /// Takes one of these signals, after waiting for it; nil at the deadline, also at one of `withDeadline`.  No handler
  /// runs.
  ///
  /// They must be blocked, in all threads, from before they can be sent: one that comes between two waits is then still
  /// there, where otherwise it would have done what its disposition says.  Of several the lowest number comes first, and
  /// a real-time signal comes as often as it was sent, in that order.
  ///
  /// Source: sigtimedwait(2).
  public func wait(until deadline: Deadline = .never) -> SignalArrival? {
    let deadline = Swift.min(deadline, .current)
    while true {
      if let arrival = take(within: deadline.remaining?.nanoseconds ?? -1) { return arrival }
      // A handler of another signal interrupts it: then again, with what is left.
      if deadline.hasPassed { return nil }
    }
  }

  /// - Parameter nanoseconds: less than 0 waits for ever.
  /// - Returns: nil after the time, and when a handler of another signal ran.
  func take(within nanoseconds: Int64) -> SignalArrival? {
    var arrival = platform_arrival()
    let number = withUnsafePointer(to: native) { platform_take_signal($0, nanoseconds, &arrival) }
    return number > 0 ? SignalArrival(arrival) : nil
  }
}
