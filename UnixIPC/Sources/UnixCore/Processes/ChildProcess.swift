import Glibc

/// A child of the calling process with one owner, who fetches its status.
///
/// Letting go of it kills it and fetches it: nobody is left behind, neither running nor as a zombie.  `release` lets it
/// live.
public struct ChildProcess: ~Copyable, Sendable {
  public let handle: ProcessHandle
  /// Whether it leads a group, which is then signalled with it.
  private let leadsGroup: Bool
  private var status: ExitStatus?
  private var isOwned = true

  /// Takes over a child that was started and not waited for.
  ///
  /// - Parameter leadsGroup: whether it is the leader of a process group (`Program.leadsGroup`, `leadsSession`).
  public init(owning process: pid_t, leadsGroup: Bool = false) throws(SystemCallError) {
    do throws(SystemCallError) { handle = try ProcessHandle(process) } catch {
      try? Signal.kill.send(to: process)
      _ = try? Children.awaitKilled(process)
      throw error
    }
    self.leadsGroup = leadsGroup
  }

  deinit {
    guard isOwned, status == nil else { return }
    send(.kill)
    _ = try? Children.awaitKilled(process)
  }

  public var process: pid_t { handle.process }

  /// Lets the child live; fetching it is now the caller's duty.
  public consuming func release() -> pid_t {
    isOwned = false
    return process
  }

  /// Sends a signal, to its whole group where it leads one.  To an ended child it does nothing.
  public func send(_ signal: Signal) {
    guard status == nil else { return }
    // Not fetched, so the number is still its own, and its group's.
    if leadsGroup { try? signal.send(toGroup: process) } else { try? handle.send(signal) }
  }

  /// How it ended; nil when it has not by the deadline.
  public mutating func status(by deadline: Deadline = .never) -> ExitStatus? {
    if status == nil, handle.awaitEnd(until: deadline) { status = try? Children.await(process) }
    return status
  }

  /// Waits for its end and fetches it.
  ///
  /// - Throws: `ECHILD` when somebody else has fetched it, or SIGCHLD is ignored; `ETIMEDOUT` at a deadline of
  ///   `withDeadline`: the child is killed then.
  public consuming func wait() throws(SystemCallError) -> ExitStatus {
    if let status { return status }
    do throws(SystemCallError) {
      let status = try Children.await(process)
      isOwned = false
      return status
    } catch {
      // Whose child it is, nobody knows; but one that has not ended in time is ours still.
      isOwned = error.code == .timedOut
      throw error
    }
  }

  /// Ends it: SIGTERM, and SIGKILL when it has not ended within `patience`; what is left of its group is killed too,
  /// unless `status` has told the leader's end: the group's number may be another's then.
  public consuming func end(patience: Duration = .seconds(5)) throws(SystemCallError) -> ExitStatus {
    if let status { return status }
    send(.terminate)
    // A stopped process ends only when it may go on.
    send(.continue)
    _ = handle.awaitEnd(until: Deadline(after: patience))
    send(.kill)
    isOwned = false
    return try Children.awaitKilled(process)
  }
}
