import Glibc

/// The processes of a session but its leader, in whatever groups, as /proc shows them.
///
/// The caller holds the leader unreaped, so that its number means this session and no other.
///
/// Source: setsid(2), proc_pid_stat(5), credentials(7).
@_spi(Begat) public enum SessionMembers {
  /// Whether a child has been ended by a signal.  It is not reaped.
  public static func wasLeaderKilled(_ leader: pid_t) -> Bool {
    var information = siginfo_t()
    guard waitid(P_PID, id_t(bitPattern: leader), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return false }
    return information.si_code == CInt(CLD_KILLED) || information.si_code == CInt(CLD_DUMPED)
  }

  /// The living members.
  package static func living(of leader: pid_t) -> [pid_t] {
    (NumberedEntries.of("/proc") ?? []).filter { isMember($0, leader) }
  }

  /// Sends a signal to a member; to no process if another one has the number by now.
  package static func send(_ signal: Signal, to process: pid_t, of leader: pid_t) {
    try? handle(of: process, leader)?.send(signal)
  }

  /// Kills the members, and what they start meanwhile; false when some are left at the deadline.
  package static func kill(of leader: pid_t, until deadline: Deadline) -> Bool {
    KillRounds.run(until: deadline, members: { living(of: leader) }, handle: { handle(of: $0, leader) })
  }

  /// Kills the members, and what they start meanwhile, without waiting for their ends.
  ///
  /// - Parameter leader: a child that has ended and is not reaped yet.
  public static func kill(ofEndedLeader leader: pid_t) {
    // Bounded: programs that fork without pause must not keep the caller.
    for _ in 0..<8 where kill(of: leader, until: .immediate) { return }
  }

  private static func isMember(_ process: pid_t, _ leader: pid_t) -> Bool {
    process != leader && ProcessStatus(of: process)?.session == leader
  }

  /// Nil if another process has the number by now.
  private static func handle(of process: pid_t, _ leader: pid_t) -> ProcessHandle? {
    // The handle is one process's; looked at again, that process is surely of this session.
    guard let handle = try? ProcessHandle(process), isMember(process, leader) else { return nil }
    return handle
  }
}
