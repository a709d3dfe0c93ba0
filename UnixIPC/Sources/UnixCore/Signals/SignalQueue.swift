import CPlatform
import Glibc

/// Blocked signals as something to wait for and to read: no handler ever runs.
///
/// `descriptor` becomes readable when one of the signals is pending; `take()` then fetches one after the other.
/// A real-time signal that a child was given as its exit signal is queued once per child and carries its pid, which
/// a read of the descriptor would not tell; when the queue is full (`ResourceLimit.pendingSignals`), further ones are announced by
/// nothing at all, so whoever counts on exits must also look at its children from time to time.
///
/// The signals stay blocked when the queue is let go of; `with` is for those who want them back.
///
/// Source: signalfd(2), sigtimedwait(2), clone(2).
public struct SignalQueue: ~Copyable {
  public let descriptor: Descriptor
  private let set: SignalSet

  /// Blocks the signals in the calling thread and opens the queue.
  public init(_ signals: SignalSet) throws(SystemCallError) {
    set = signals
    let number = try check("signalfd") {
      withUnsafePointer(to: signals.native) { signalfd(-1, $0, closeOnExecFlag | nonBlockingFlag) }
    }
    descriptor = Descriptor(owning: number)
    signals.block()
  }

  /// Lends a queue to the body; on every way out, the calling thread's mask is again what it was before.
  ///
  /// What is pending then is delivered, as if it had come just now: a SIGTERM that nobody has taken ends the process.
  /// A process that the body forks has a mask of its own, which ends with it.
  ///
  /// - Throws: what the body throws; `SystemCallError` when the queue cannot be opened.
  public static func with<Result: ~Copyable>(
    _ signals: SignalSet, _ body: (borrowing SignalQueue) throws -> Result
  ) throws -> Result {
    try signals.withBlocked { try body(SignalQueue(signals)) }
  }

  /// The next pending signal, nil when there is none.
  public func take() -> SignalArrival? { set.take(within: 0) }

  /// The next signal, after waiting for it; nil at the deadline.
  public func next(until deadline: Deadline = .never) -> SignalArrival? { set.wait(until: deadline) }
}
