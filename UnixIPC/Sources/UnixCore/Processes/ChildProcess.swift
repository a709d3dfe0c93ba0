import CPlatform
import Glibc

/// A child of the calling process with one owner, which reaps it.
///
/// When the owner lets go of it, the child is killed and reaped: nothing is left behind, neither a process nor a zombie.
/// `release` lets it live.  Any thread may wait for it or signal it.  In a forked copy of the process, letting go of it
/// does nothing.
///
/// A status that is not there any more, because SIGCHLD is ignored or other code has reaped the child, is
/// `ExitStatus.unknown` and no error.
public struct ChildProcess: ~Copyable, Sendable {
  /// The descriptor by which the child is held, readable when it has ended.
  public let handle: ProcessHandle
  /// Whether it leads a group, which is then signalled with it.
  private let leadsGroup: Bool
  private let state: ChildState

  /// Takes over a child that was started by other means and is not reaped yet.
  ///
  /// - Parameter process: the child's number.
  /// - Parameter leadsGroup: whether it is the leader of a process group, which is signalled with it.
  /// - Throws: `ECHILD` for a process that is no child of the calling process, such as itself; `EBUSY` for a child that
  ///   has an owner already; `EMFILE` or `ENFILE` when no descriptor is left.  The process is left alone then.
  ///
  /// Source: waitid(2), WNOWAIT.
  public init(owning process: pid_t, leadsGroup: Bool = false) throws(SystemCallError) {
    guard process > 0 else { throw SystemCallError("waitid", on: String(process), code: .noChildProcess) }
    _ = try check("waitid", on: String(process)) {
      var information = siginfo_t()
      return waitid(
        P_PID, id_t(bitPattern: process), &information, WEXITED | WNOHANG | WNOWAIT | OwnedChildren.anyKind)
    }
    let handle = try ProcessHandle(ofChild: process)
    guard OwnedChildren.add(process) else {
      throw SystemCallError("waitid", on: String(process), code: ErrorCode.resourceBusy)
    }
    self.handle = handle
    self.leadsGroup = leadsGroup
    state = ChildState(process)
  }

  /// Takes over a child that was just started, inside of `OwnedChildren.whileStarting`.
  init(started process: pid_t, leadsGroup: Bool) throws(SystemCallError) {
    do throws(SystemCallError) { handle = try ProcessHandle(ofChild: process) } catch {
      try? Signal.kill.send(to: process)
      _ = ChildState(process).reapKilled()
      throw error
    }
    _ = OwnedChildren.add(process)
    self.leadsGroup = leadsGroup
    state = ChildState(process)
  }

  deinit {
    guard state.isOurs, state.isPending else { return }
    send(.kill)
    _ = state.reapKilled()
  }

  /// The child's number.  After it is reaped, another process may have that number.
  public var process: pid_t { state.process }

  /// Lets the child live; reaping it is now the caller's duty.
  public consuming func release() -> pid_t {
    state.release()
    return state.process
  }

  /// Sends a signal to the child, and to its whole group if it leads one.  A child that is reaped gets none.
  public func send(_ signal: Signal) {
    state.whileUnreaped {
      // With SIGCHLD ignored, nothing reserves the number of an ended child, or its group's.
      if leadsGroup, !handle.isReaped { try? signal.send(toGroup: process) } else { try? handle.send(signal) }
    }
  }

  /// How the child ended; nil if it has not ended by the deadline, or by one of `withDeadline`.  An ended child is
  /// reaped.
  ///
  /// Source: pidfd_open(2), waitpid(2).
  public func status(until deadline: Deadline = .never) -> ExitStatus? { try? waitForExit(until: deadline) }

  /// Waits for the child's end and reaps it.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Throws: `ETIMEDOUT` if the child has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  It
  ///   stays this value's own then, and may be waited for again.
  ///
  /// Source: pidfd_open(2), waitpid(2).
  @discardableResult
  public func waitForExit(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> ExitStatus {
    if let status = state.knownStatus { return status }
    while true {
      switch handle.descriptor.waitEnd(for: .readable, until: deadline, cancelledBy: cancellation) {
      case .ready: break
      case .cancelled: throw SystemCallError("waitpid", on: String(process), code: .canceled)
      case .timedOut: throw SystemCallError("waitpid", on: String(process), code: .timedOut)
      }
      if let status = state.reap() { return status }
      // A debugger that has attached to the child has to see its end first.
      if deadline.isExpired { throw SystemCallError("waitpid", on: String(process), code: .timedOut) }
      SystemClock.sleep(for: .milliseconds(10))
    }
  }

  /// Ends the child: SIGTERM, and SIGKILL if it has not ended within the grace period.  What is left of its group is
  /// killed as well, unless the child is reaped already: the group's number may be another group's then.
  ///
  /// - Returns: how it ended.
  @discardableResult
  public func terminate(gracePeriod: Duration = .seconds(5)) -> ExitStatus {
    requestEnd()
    return endOrKill(gracePeriod: gracePeriod)
  }

  /// The first half of `terminate`.  A pipe to the child is closed between the halves: closed before, it would end some
  /// programs by SIGPIPE or at the end of their input.
  package func requestEnd() {
    if state.knownStatus != nil { return }
    send(.terminate)
    // A stopped process ends only after it was continued.
    send(.continue)
  }

  /// The second half of `terminate`.
  package func endOrKill(gracePeriod: Duration) -> ExitStatus {
    if let status = state.knownStatus { return status }
    _ = handle.waitForExit(until: Deadline(after: gracePeriod))
    send(.kill)
    return state.reapKilled()
  }
}
