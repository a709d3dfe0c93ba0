import Glibc
@_spi(Begat) import UnixCore

/// The processes of a session, whatever groups its jobs are in; found in /proc.
///
/// Source: proc(5), credentials(7).
enum SessionProcesses {
  /// The living ones but the leader.  The caller holds the leader unreaped, so that its number means this session.
  static func members(of leader: pid_t) -> [pid_t] {
    (NumberedEntries.of("/proc") ?? []).filter { $0 != leader && session(of: $0) == leader }
  }

  /// Sends a signal to one of them, or to nobody when the number is another's by now.
  static func send(_ signal: Signal, to process: pid_t, of leader: pid_t) {
    guard let handle = try? ProcessHandle(process), session(of: process) == leader else { return }
    try? handle.send(signal)
  }

  /// Kills until there are none, which fork(2) may have made several times meanwhile; false when some are left.
  static func kill(membersOf leader: pid_t, until deadline: Deadline) -> Bool {
    while true {
      let members = members(of: leader)
      if members.isEmpty { return true }
      for process in members { send(.kill, to: process, of: leader) }
      // Only now: a thread without time left has killed them nevertheless.
      if deadline.isExpired { return false }
      for process in members {
        guard let handle = try? ProcessHandle(process), session(of: process) == leader else { continue }
        _ = handle.waitForExit(until: deadline)
      }
    }
  }

  /// Nil for a process that has ended.
  private static func session(of process: pid_t) -> pid_t? { ProcessStatus(of: process)?.session }
}
