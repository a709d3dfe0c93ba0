import CPlatform
import Glibc

/// Children of the calling process, by number.
///
/// Source: waitpid(2).
public enum Children {
  /// `__WALL`: children whose exit signal is not SIGCHLD, too.
  private static let anyKind: CInt = 0x4000_0000

  /// Fetches the status of an ended child, which is gone then; nil while it lives and when it is none of ours.
  public static func reap(_ process: pid_t) -> ExitStatus? { wait(process)?.status }

  /// Fetches any ended child, nil when none has ended.
  ///
  /// The kernel walks every living child for it: linear in their number, so not for each exit.
  public static func reapAny() -> (process: pid_t, status: ExitStatus)? { wait(-1) }

  /// Any ended child that is not fetched yet: its number still means it, and its group.
  ///
  /// As costly as `reapAny`.
  ///
  /// Source: waitid(2), WNOWAIT.
  public static func peekAny() -> pid_t? {
    let process = platform_peek_child()
    return process > 0 ? process : nil
  }

  /// Fetches every child that has ended, which one SIGCHLD may stand for: the whole of a reaper's work.
  ///
  /// - Parameter waitingForFirst: whether to wait until one has.
  /// - Throws: `ECHILD` when there are no children at all, which is no reason to ask again.
  public static func reapAll(waitingForFirst: Bool = false) throws(SystemCallError) -> [(
    process: pid_t, status: ExitStatus
  )] {
    var ended: [(process: pid_t, status: ExitStatus)] = []
    while true {
      var status: CInt = 0
      let flags = waitingForFirst && ended.isEmpty ? anyKind : anyKind | WNOHANG
      let process: pid_t
      do throws(SystemCallError) { process = try check("waitpid") { waitpid(-1, &status, flags) } } catch {
        if error.code == .noChildProcess, !ended.isEmpty { return ended }
        throw error
      }
      guard process > 0 else { return ended }
      if let how = ExitStatus(waitStatus: status) { ended.append((process, how)) }
    }
  }

  /// Waits until the child has ended.
  public static func await(_ process: pid_t) throws(SystemCallError) -> ExitStatus {
    while true {
      var status: CInt = 0
      _ = try check("waitpid", on: String(process)) { waitpid(process, &status, anyKind) }
      if let ended = ExitStatus(waitStatus: status) { return ended }
    }
  }

  /// The same for one that was killed, which no deadline of the thread's keeps from being fetched.
  static func awaitKilled(_ process: pid_t) throws(SystemCallError) -> ExitStatus {
    while true {
      do throws(SystemCallError) { return try Children.await(process) } catch {
        if error.code != .timedOut { throw error }
      }
    }
  }

  /// Waits until the child has ended, without fetching it; false when it has not within the time.
  ///
  /// Source: pidfd_open(2).
  public static func awaitEnd(_ process: pid_t, within limit: Duration) -> Bool {
    let number = platform_pidfd_open(process)
    guard number != -1 else { return false }
    let end = Descriptor(owning: number)
    return end.wait(for: .readable, until: Deadline(after: limit))
  }

  private static func wait(_ process: pid_t) -> (process: pid_t, status: ExitStatus)? {
    var status: CInt = 0
    let ended = waitpid(process, &status, WNOHANG | anyKind)
    guard ended > 0, let how = ExitStatus(waitStatus: status) else { return nil }
    return (ended, how)
  }
}
