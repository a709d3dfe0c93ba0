import CPlatform

/// Bounds all blocking calls that the body makes: one that is still waiting at the deadline throws `ETIMEDOUT`.
///
/// This is `alarm` round a call, without its flaws.  There is no moment at which the time could run out unseen: from the
/// deadline on the thread is interrupted again and again until the body is left.  It counts in nanoseconds, belongs to
/// one thread, and may be nested: the nearest deadline holds.  What the body throws for other reasons is passed on as it
/// is.  Calls of this library look at the deadline; other calls that fail with `EINTR` are for the body to repeat or to
/// give up.  Calculation is not interrupted.
///
/// The signal `SIGRTMAX` is used for it, with a handler that does nothing.  A process forked in the body has no deadline.
///
/// - Throws: what the body throws; `EAGAIN` of timer_create(2) when the user has too many timers.
///
/// Source: timer_create(2), SIGEV_THREAD_ID; signal(7), interruption of system calls.
public func withDeadline<Result: ~Copyable>(_ deadline: Deadline, _ body: () throws -> Result) throws -> Result {
  let interrupter = try Interrupter(deadline)
  defer { withExtendedLifetime(interrupter) {} }
  return try body()
}

/// The same with the time from now.
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

extension Deadline {
  /// The nearest one of `withDeadline` that the calling thread is in; `never` outside.
  public static var ofThread: Deadline { Deadline(instant: platform_thread_deadline()) }
}
