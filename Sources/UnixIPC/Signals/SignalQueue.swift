import CPlatform
import Glibc

/// Blocked signals as something to wait for and to read: no handler ever runs.
///
/// `descriptor` becomes readable when one of the signals is pending; `take()` then fetches one after the other.
/// A real-time signal that a child was given as its exit signal is queued once per child and carries its pid, which
/// a read of the descriptor would not tell; when the queue is full (`ResourceLimit.pendingSignals`), further ones are announced by
/// nothing at all, so whoever counts on exits must also look at its children from time to time.
///
/// Source: signalfd(2), sigtimedwait(2), clone(2).
public struct SignalQueue: ~Copyable {
  /// A signal that was taken.
  public struct Arrival: Sendable {
    public let signal: Signal
    /// Who sent it; of an exit signal, the child that ended.
    public let process: pid_t
    /// False for one that a process sent with kill(2) or sigqueue(3): then `process` is a mere claim.
    public let isFromKernel: Bool
  }

  public let descriptor: Descriptor
  private let set: SignalSet

  /// Blocks the signals in the calling thread and opens the queue.
  public init(_ signals: SignalSet) throws(CallFailure) {
    signals.block()
    set = signals
    let number = try check("signalfd") {
      withUnsafePointer(to: signals.native) { signalfd(-1, $0, closeOnExecFlag | nonBlockingFlag) }
    }
    descriptor = Descriptor(owning: number)
  }

  /// The next pending signal, nil when there is none.
  public func take() -> Arrival? {
    var code: CInt = 0
    var process: pid_t = 0
    let number = withUnsafePointer(to: set.native) { platform_take_signal($0, &code, &process) }
    guard number > 0 else { return nil }
    return Arrival(signal: Signal(rawValue: number), process: process, isFromKernel: code > 0)
  }
}
