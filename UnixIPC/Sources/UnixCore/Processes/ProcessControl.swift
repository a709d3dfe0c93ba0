import CPlatform
import Glibc

/// What the calling process asks of the kernel for itself.
///
/// Source: prctl(2).
public enum ProcessControl {
  /// Asks for a signal when the parent ends.
  ///
  /// - Parameter parent: the number of the process that is supposed to be the parent.
  /// - Returns: whether it still is: if not, it ended before the call, and the signal will not come.
  /// - Throws: `EINVAL` for what is no signal.
  ///
  /// Source: PR_SET_PDEATHSIG(2const).
  public static func setParentDeathSignal(_ signal: Signal, parent: pid_t) throws(SystemCallError) -> Bool {
    _ = try check("prctl", on: "\(signal)") { platform_prctl(PR_SET_PDEATHSIG, UInt(bitPattern: Int(signal.rawValue))) }
    return platform_getppid() == parent
  }

  /// Sends the calling process a signal once, after a time; one of zero or less sends it immediately.  An exec cancels it.
  ///
  /// - Throws: `EINVAL` for what is no signal; `EAGAIN` when the user has too many timers.
  ///
  /// Source: timer_create(2).
  public static func end(with signal: Signal, after time: Duration) throws(SystemCallError) {
    let nanoseconds = max(1, time.nanoseconds)
    _ = try check("timer_create", on: "\(signal)") { platform_signal_after(signal.rawValue, nanoseconds) }
  }

  /// Gives up gaining privileges by executing set-user-id programs, forever and for all children.
  ///
  /// Source: PR_SET_NO_NEW_PRIVS(2const).
  public static func setNoNewPrivileges() throws(SystemCallError) {
    _ = try check("prctl") {
      // prctl(2) insists on the 1.
      platform_prctl(PR_SET_NO_NEW_PRIVS, 1)
    }
  }

  /// Ends the restartable sequences of the calling thread, which the C library has begun but hardly uses: otherwise the
  /// kernel writes to a page of each forked copy as soon as it runs, which copies that page.
  ///
  /// - Returns: whether none are left; if some are, the kernel writes to the thread's variables of each copy.
  ///
  /// Source: rseq(2).
  @_spi(Begat) public static func endRestartableSequences() -> Bool { platform_leave_rseq() }

  /// The path by which the calling process executed its program; nil where the kernel does not say it.
  ///
  /// Source: getauxval(3), AT_EXECFN.
  @_spi(Begat) public static var executedFile: String? { platform_executed_file().map { String(cString: $0) } }

  /// Gives the calling process the name of its program if it was executed through a descriptor: the kernel then names it
  /// after the descriptor's number.
  ///
  /// - Parameter name: at most 15 bytes of it are used.
  ///
  /// Source: PR_SET_NAME(2const), getauxval(3), execveat(2).
  @_spi(Begat) public static func takeName(_ name: StaticString) {
    guard executedFile?.hasPrefix("/dev/fd/") ?? false else { return }
    _ = platform_prctl(PR_SET_NAME, UInt(bitPattern: name.utf8Start))
  }

  /// Ends the calling process immediately: no exit handler runs, and no buffer that was inherited from the parent is
  /// written again.
  ///
  /// Source: _exit(2).
  public static func exitImmediately(status: CInt) -> Never { _exit(status) }
}
