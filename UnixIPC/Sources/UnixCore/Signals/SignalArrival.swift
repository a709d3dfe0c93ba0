import CPlatform
import Glibc

/// A signal that was taken.
///
/// Source: sigaction(2), siginfo_t.
public struct SignalArrival: Sendable {
  /// The signal that came.
  public let signal: Signal
  /// The process that sent it; of an exit signal, the child that ended.
  public let process: pid_t
  /// The real user of that process; `uid_t.max`, which is no user, if `isIncomplete`.
  public let user: uid_t
  /// The value that sigqueue(3) sent with it; nil if it was sent in another way.
  public let value: CInt?
  /// Whether the kernel sent it.
  ///
  /// False for a signal that a process sent with kill(2) or sigqueue(3).  Of the latter, everything but the signal is a
  /// mere claim of its sender.
  public let isFromKernel: Bool
  /// Whether a ``SignalDescriptor`` was full, so that only the signal itself is known, and it stands for one or more.
  public let isIncomplete: Bool

  init(_ native: platform_arrival) {
    signal = Signal(rawValue: native.signal)
    process = native.process
    user = native.user
    // SI_QUEUE
    value = native.code == -1 ? native.value : nil
    isFromKernel = native.code > 0
    isIncomplete = false
  }

  /// A signal of which nothing else is known.
  init(incomplete signal: Signal) {
    self.signal = signal
    process = 0
    user = .max
    value = nil
    isFromKernel = false
    isIncomplete = true
  }
}
