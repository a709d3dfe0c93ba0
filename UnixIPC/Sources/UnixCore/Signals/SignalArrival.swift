import CPlatform
import Glibc

/// A signal that was taken.
///
/// Source: sigaction(2), siginfo_t.
public struct SignalArrival: Sendable {
  public let signal: Signal
  /// Who sent it; of an exit signal, the child that ended.
  public let process: pid_t
  /// The user of that process.
  public let user: uid_t
  /// What was sent with it by sigqueue(3); nil when it was sent in another way.
  public let value: CInt?
  /// False for one that a process sent with kill(2) or sigqueue(3).  Of the latter, all but the signal is a mere claim.
  public let isFromKernel: Bool

  init(_ native: platform_arrival) {
    signal = Signal(rawValue: native.signal)
    process = native.process
    user = native.user
    // SI_QUEUE
    value = native.code == -1 ? native.value : nil
    isFromKernel = native.code > 0
  }
}
