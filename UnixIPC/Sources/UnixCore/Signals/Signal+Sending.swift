import CPlatform
import Glibc

extension Signal {
  /// Sends the signal to a process.
  ///
  /// Only its parent can be sure that the number still means that process; ``ProcessHandle`` means one process for good.
  ///
  /// - Throws: `ESRCH` when there is no such process, `EPERM` when it is another user's, `EINVAL` for 0 and negative
  ///   numbers, which mean groups to kill(2).
  ///
  /// Source: kill(2).
  public func send(to process: pid_t) throws(SystemCallError) {
    guard process > 0 else { throw SystemCallError("kill", on: String(process), code: .invalidArgument) }
    _ = try check("kill", on: String(process)) { Glibc.kill(process, rawValue) }
  }

  /// Sends the signal with a value, which arrives as `SignalArrival.value`.
  ///
  /// A real-time signal is queued for each call; of a standard signal that is pending already, only the first value is
  /// kept.
  ///
  /// - Throws: as `send(to:)`; `EAGAIN` when the queue is full (`ResourceLimit.pendingSignals`): nothing was sent then.
  ///
  /// Source: sigqueue(3).
  public func send(_ value: CInt, to process: pid_t) throws(SystemCallError) {
    guard process > 0 else { throw SystemCallError("sigqueue", on: String(process), code: .invalidArgument) }
    _ = try check("sigqueue", on: String(process)) { platform_queue_signal(process, rawValue, value) }
  }

  /// Sends the signal to all processes of a group.
  ///
  /// Only the parent of its living leader can be sure which group the number means.
  ///
  /// - Throws: `ESRCH` when there is no such group, `EPERM` when none of it may be signalled, `EINVAL` for numbers below
  ///   2: -1 means all processes to kill(2).
  ///
  /// Source: killpg(3).
  public func send(toGroup group: pid_t) throws(SystemCallError) {
    guard group > 1 else { throw SystemCallError("kill", on: "group \(group)", code: .invalidArgument) }
    _ = try check("kill", on: String(-group)) { Glibc.kill(-group, rawValue) }
  }

  /// Sends the signal to all processes of the caller's own group, the caller too.
  ///
  /// The group's number is its leader's, not the caller's: Perl's `kill HUP => -$$` reaches no process if the caller does
  /// not lead the group.  To spare the caller, wrap the call in `withDisposition(.ignored, for: self) { … }`.
  ///
  /// Source: kill(2), process 0.
  public func sendToOwnGroup() throws(SystemCallError) {
    _ = try check("kill", on: "own group") { Glibc.kill(0, rawValue) }
  }

  /// Sends the signal to all processes of the group that a process belongs to.
  ///
  /// - Throws: as `send(toGroup:)`; `ESRCH` when that group's leader is outside of the caller's namespace, and `EINVAL`
  ///   when process 1 leads it and the caller is not in it: there is no way to name it.
  ///
  /// Source: getpgid(2), kill(2).
  public func send(toGroupOf process: pid_t) throws(SystemCallError) {
    let group = try ProcessControl.group(of: process)
    if group == ProcessControl.ownGroup { return try sendToOwnGroup() }
    // kill(2) would take 0 for the caller's own group.
    if group == 0 { throw SystemCallError("kill", on: "group of \(process)", code: .noSuchProcess) }
    try send(toGroup: group)
  }

  /// Sends the signal to the calling thread, and returns after its handler, if it has one and is not blocked.
  ///
  /// Source: raise(3).
  public func raise() throws(SystemCallError) {
    let error = Glibc.pthread_kill(pthread_self(), rawValue)
    if error != 0 { throw SystemCallError("raise", on: "\(self)", code: ErrorCode(rawValue: error)) }
  }
}
