import CPlatform

/// Bounds all blocking calls that the body makes: a call that still waits at the deadline throws `ETIMEDOUT`.
///
/// This is `alarm` around a call, without its flaws.  There is no moment at which the deadline could be missed: from then
/// on the thread is interrupted again and again until the body is left.  It counts in nanoseconds, belongs to one thread,
/// and may be nested: the nearest deadline holds.  An error that the body throws for another reason is passed on as it is.
///
/// The calls of this library look at the deadline when they are interrupted.  Other calls fail with `EINTR`, and the body
/// decides whether to repeat them.  Computation is not interrupted.
///
/// The signal `SIGRTMAX` is used for it, with a handler that does nothing.  The library keeps this signal for itself, as the
/// C library keeps 32 and 33: a ``SignalSet`` never contains it, and its disposition cannot be set.  Code that blocks or
/// ignores it by other means defeats the deadline.
///
/// A process that is forked in the body has no deadline.
///
/// - Parameter deadline: the instant from which calls are interrupted.
/// - Parameter body: the code to bound; it runs in the calling thread.
/// - Returns: the value that the body returns.
/// - Throws: the body's error; ``SystemCallError`` of timer_create(2), `EAGAIN`, when the user has too many timers.
///
/// Source: timer_create(2), SIGEV_THREAD_ID; signal(7), interruption of system calls.
public func withDeadline<Result: ~Copyable>(_ deadline: Deadline, _ body: () throws -> Result) throws -> Result {
  let interrupter = try Interrupter(deadline)
  defer { withExtendedLifetime(interrupter) {} }
  return try body()
}

/// Bounds all blocking calls that the body makes to a time from now, as `withDeadline(_:_:)` does.
///
/// - Parameter limit: the time from now at which calls are interrupted; zero or less is immediately.
/// - Parameter body: the code to bound; it runs in the calling thread.
/// - Returns: the value that the body returns.
/// - Throws: as `withDeadline(_:_:)`.
public func withDeadline<Result: ~Copyable>(after limit: Duration, _ body: () throws -> Result) throws -> Result {
  try withDeadline(Deadline(after: limit), body)
}

/// Interrupts the system calls of the thread that made it, from a deadline on and as long as it lives.
struct Interrupter: ~Copyable {
  /// Nil where a nearer one interrupts already.
  private let native: platform_interrupter?

  init(_ deadline: Deadline) throws(SystemCallError) {
    var started: platform_interrupter?
    if deadline < .current {
      var native = platform_interrupter()
      _ = try check("timer_create") { platform_start_interrupting(&native, deadline.instant) }
      started = native
    }
    // Only now: what is whole is ended too, where an initialiser throws.
    native = started
  }

  deinit {
    guard var native else { return }
    platform_end_interrupting(&native)
  }
}
