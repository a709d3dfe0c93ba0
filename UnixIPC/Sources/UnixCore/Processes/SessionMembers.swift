import Glibc

/// What runs in the session of a child that led one.
///
/// Source: setsid(2), proc_pid_stat(5).
@_spi(Begat) public enum SessionMembers {
  /// Whether a child has been ended by a signal.  It is not reaped.
  public static func wasLeaderKilled(_ leader: pid_t) -> Bool {
    var information = siginfo_t()
    guard waitid(P_PID, id_t(bitPattern: leader), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return false }
    return information.si_code == CInt(CLD_KILLED) || information.si_code == CInt(CLD_DUMPED)
  }

  /// Ends all of the session with SIGKILL, and what they start meanwhile.
  ///
  /// - Parameter leader: a child that has ended and is not reaped yet, so that no other session can have its number.
  public static func kill(ofEndedLeader leader: pid_t) {
    // Bounded: programs that fork without pause must not keep the caller.
    for _ in 0..<8 {
      let members = (NumberedEntries.of("/proc") ?? []).filter { isMember($0, leader) }
      if members.isEmpty { return }
      for member in members {
        // The handle is one process's; looked at again, that process is surely of this session.
        guard let handle = try? ProcessHandle(member), isMember(member, leader) else { continue }
        try? handle.send(.kill)
      }
    }
  }

  private static func isMember(_ process: pid_t, _ leader: pid_t) -> Bool {
    process != leader && ProcessStatus(of: process)?.session == leader
  }
}
