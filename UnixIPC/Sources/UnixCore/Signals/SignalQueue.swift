import CPlatform
import Glibc

/// Blocked signals as something to wait for and to read: no handler ever runs.
///
/// For programs whose threads are all their own: the signals must be blocked in every thread, and stay so.  A program with
/// `async` code, Dispatch or SwiftNIO has threads with an empty mask, in which a signal ends the process though the queue
/// has blocked it elsewhere: it uses ``SignalDescriptor``.
///
/// `descriptor` is readable while one of the signals is pending; `take()` then returns one after the other.  A real-time
/// signal that a child was given as its exit signal is queued once per child and carries its process number, which a read
/// of the descriptor would not report.  When the kernel's queue is full (`ResourceLimit.pendingSignals`), further ones are
/// not announced at all, so a program that counts exits must also check its children from time to time.
///
/// The signals stay blocked when the queue is dropped; `with(_:_:)` restores the mask.
///
/// Source: signalfd(2), sigtimedwait(2), clone(2).
public struct SignalQueue: ~Copyable, Sendable {
  /// Readable while a signal of the queue is pending.  Read nothing from it: `take()` does.
  public let descriptor: Descriptor
  private let set: SignalSet

  /// Blocks the signals in the calling thread and opens the queue.
  ///
  /// - Throws: `EMFILE` or `ENFILE` when there is no descriptor left; then nothing is blocked.
  public init(_ signals: SignalSet) throws(SystemCallError) {
    set = signals
    let number = try check("signalfd", on: "\(signals)") {
      withUnsafePointer(to: signals.native) { signalfd(-1, $0, closeOnExecFlag | nonBlockingFlag) }
    }
    descriptor = Descriptor(owning: number)
    signals.block()
  }

  /// Lends a queue to the body; on every way out, the calling thread's mask is again what it was before.
  ///
  /// A signal that is still pending then is delivered: a SIGTERM that was not taken ends the process.  A process that the
  /// body forks has a mask of its own, which ends with it.
  ///
  /// - Throws: the body's error; `SystemCallError` when the queue cannot be opened.
  public static func with<Result: ~Copyable>(
    _ signals: SignalSet, _ body: (borrowing SignalQueue) throws -> Result
  ) throws -> Result {
    try signals.withBlocked { try body(SignalQueue(signals)) }
  }

  /// The next pending signal, nil when there is none.  It never waits.
  public func take() -> SignalArrival? { set.take(within: 0) }

  /// The next signal, after waiting for it; nil at the deadline, also at one of `withDeadline`, or when the wait is
  /// cancelled.
  public func next(until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil) -> SignalArrival? {
    guard let cancellation else { return set.wait(until: deadline) }
    while true {
      if cancellation.isCancelled { return nil }
      if let arrival = take() { return arrival }
      if !descriptor.wait(for: .readable, until: deadline, cancelledBy: cancellation) { return nil }
    }
  }
}
