import CPlatform
import Glibc

/// Children of the calling process, by number, for programs that keep the numbers themselves.
///
/// A child with an owner (`ChildProcess`) is reaped by its owner: the functions that reap any child pass it over.
///
/// Source: waitpid(2).
public enum Children {
  /// Reaps an ended child, by its number.
  ///
  /// - Returns: how it ended; nil while it lives, and for a number that is no child's of the calling process, such as one
  ///   below 1.
  public static func reap(_ process: pid_t) -> ExitStatus? { process > 0 ? wait(process)?.status : nil }

  /// Reaps any ended child without an owner; nil if none has ended.
  ///
  /// The kernel walks through every living child for it: the cost is linear in their number.
  public static func reapAny() -> (process: pid_t, status: ExitStatus)? {
    // Looked at where no other thread registers a child, which would be reaped from under its owner.
    OwnedChildren.whileNoneStarts { OwnedChildren.isEmpty ? wait(-1) : peek().flatMap(wait) }
  }

  /// Any ended child without an owner that is not reaped yet: its number still means it, and its group.
  ///
  /// The call costs as much as `reapAny`.
  ///
  /// Source: waitid(2), WNOWAIT.
  public static func peekAny() -> pid_t? { OwnedChildren.whileNoneStarts(peek) }

  /// Reaps every child without an owner that has ended, for one SIGCHLD may stand for several: all that a reaper does.
  ///
  /// - Parameter deadline: how long to wait for the first one.  By default, the call does not wait.
  /// - Returns: the reaped children; none if none has ended by the deadline, or by one of `withDeadline`.
  /// - Throws: `ECHILD` if no child without an owner exists, so that there is nothing to ask for again.
  ///
  /// Source: waitid(2), waitpid(2).
  public static func reapAll(until deadline: Deadline = Deadline.immediate) throws(SystemCallError) -> [(
    process: pid_t, status: ExitStatus
  )] {
    var ended: [(process: pid_t, status: ExitStatus)] = []
    while true {
      while let child = reapAny() { ended.append(child) }
      if !ended.isEmpty { return ended }
      guard try existsWithoutOwner() else { throw SystemCallError("waitpid", code: .noChildProcess) }
      if deadline.isExpired { return [] }
      try waitForAnyExit(until: deadline)
    }
  }

  /// Waits until the child has ended, and reaps it.
  ///
  /// - Throws: `ECHILD` for a number that is no child's of the calling process, such as one below 1, and for a child that
  ///   was reaped by other code or, with SIGCHLD ignored, by the kernel; `ETIMEDOUT` at the deadline, and at one of
  ///   `withDeadline`; with a deadline, what `waitForExit(of:until:)` throws.
  ///
  /// Source: waitpid(2), pidfd_open(2).
  @discardableResult
  public static func wait(for process: pid_t, until deadline: Deadline = .never) throws(SystemCallError) -> ExitStatus {
    // They would mean any child, or any of a group.
    guard process > 0 else { throw SystemCallError("waitpid", on: String(process), code: .noChildProcess) }
    if deadline != .never, try !waitForExit(of: process, until: deadline) {
      throw SystemCallError("waitpid", on: String(process), code: .timedOut)
    }
    while true {
      var status: CInt = 0
      _ = try check("waitpid", on: String(process)) { waitpid(process, &status, OwnedChildren.anyKind) }
      if let ended = ExitStatus(waitStatus: status) { return ended }
    }
  }

  /// Waits until the process has ended, without reaping it.
  ///
  /// - Returns: true also for a process that does not exist; false if it has not ended by the deadline, or by one of
  ///   `withDeadline`.
  /// - Throws: `EMFILE`, `ENFILE` or `ENOMEM` when there is no room for a descriptor of the process; `EINVAL` for a number
  ///   below 1.
  ///
  /// Source: pidfd_open(2).
  public static func waitForExit(
    of process: pid_t, until deadline: Deadline = .never
  ) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) { return try ProcessHandle(process).waitForExit(until: deadline) } catch {
      guard error.code == .noSuchProcess else { throw error }
      return true
    }
  }

  /// Whether the child was stopped by a signal and has not gone on; false for a number that is no child's.
  ///
  /// Source: waitid(2), WSTOPPED.
  @_spi(Begat) public static func isStopped(_ process: pid_t) -> Bool {
    var information = siginfo_t()
    let flags = WSTOPPED | WNOHANG | WNOWAIT | OwnedChildren.anyKind
    return process > 0 && waitid(P_PID, id_t(process), &information, flags) == 0 && information.si_signo != 0
  }

  /// Whether the calling process has any child, ended ones that are not reaped and owned ones included.
  ///
  /// Source: waitid(2), ECHILD.
  public static var exist: Bool {
    var information = siginfo_t()
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT | OwnedChildren.anyKind) == 0
  }

  private static func wait(_ process: pid_t) -> (process: pid_t, status: ExitStatus)? {
    var status: CInt = 0
    let ended = waitpid(process, &status, WNOHANG | OwnedChildren.anyKind)
    guard ended > 0, let how = ExitStatus(waitStatus: status) else { return nil }
    return (ended, how)
  }

  /// The kernel shows the first ended child, and with `WNOWAIT` always the same one: behind an owned one, others are
  /// found by number.
  private static func peek() -> pid_t? {
    let first = platform_peek_child()
    guard first > 0 else { return nil }
    if !OwnedChildren.contains(first) { return first }
    return ChildNumbers.all().first { !OwnedChildren.contains($0) && hasEnded($0) }
  }

  private static func hasEnded(_ process: pid_t) -> Bool {
    var information = siginfo_t()
    let flags = WEXITED | WNOHANG | WNOWAIT | OwnedChildren.anyKind
    return waitid(P_PID, id_t(bitPattern: process), &information, flags) == 0 && information.si_signo != 0
  }

  private static func existsWithoutOwner() throws(SystemCallError) -> Bool {
    var information = siginfo_t()
    let flags = WEXITED | WNOHANG | WNOWAIT | OwnedChildren.anyKind
    guard waitid(P_ALL, 0, &information, flags) == 0 else { return false }
    if OwnedChildren.isEmpty { return true }
    return OwnedChildren.whileNoneStarts { ChildNumbers.all().contains { !OwnedChildren.contains($0) } }
  }

  /// Waits for the next end of a child; it may return early.
  private static func waitForAnyExit(until deadline: Deadline) throws(SystemCallError) {
    if platform_peek_child() > 0 {
      // An owned child that is not reaped yet hides the ends of the others.
      poll(nil, 0, min(10, deadline.milliseconds == -1 ? 10 : deadline.milliseconds))
      return
    }
    let interrupter = try Interrupter(deadline)
    defer { withExtendedLifetime(interrupter) {} }
    var information = siginfo_t()
    // At the deadline, and when a handler has run, it is interrupted.
    waitid(P_ALL, 0, &information, WEXITED | WNOWAIT | OwnedChildren.anyKind)
  }
}
