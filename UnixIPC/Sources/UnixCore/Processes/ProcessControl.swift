import CPlatform
import Glibc

/// What a process says about itself to the kernel.
///
/// Source: prctl(2).
public enum ProcessControl {
  /// Asks for a signal when the parent ends, and tells whether `parent` is still the parent: else it ended before.
  public static func followParent(_ parent: pid_t, with signal: Signal) throws(SystemCallError) -> Bool {
    _ = try check("prctl") { platform_prctl(PR_SET_PDEATHSIG, UInt(signal.rawValue)) }
    return platform_getppid() == parent
  }

  /// Sends the calling process a signal once, after a time above zero; an exec cancels it.
  ///
  /// Source: timer_create(2).
  public static func end(with signal: Signal, after time: Duration) throws(SystemCallError) {
    let (seconds, attoseconds) = time.components
    let nanoseconds = max(1, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    _ = try check("timer_create") { platform_signal_after(signal.rawValue, nanoseconds) }
  }

  /// Gives up gaining privileges by executing set-user-id programs, for good and for all children.
  public static func forbidNewPrivileges() throws(SystemCallError) {
    _ = try check("prctl") {
      // prctl(2) insists on the 1.
      platform_prctl(PR_SET_NO_NEW_PRIVS, 1)
    }
  }
}
