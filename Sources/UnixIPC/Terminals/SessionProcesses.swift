import Glibc

/// The processes of a session, whatever groups its jobs are in; found in /proc.
///
/// Source: proc(5), credentials(7).
enum SessionProcesses {
  /// The living ones but the leader.  The caller holds the leader unfetched, so that its number means this session.
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
      if deadline.hasPassed { return false }
      for process in members {
        guard let handle = try? ProcessHandle(process), session(of: process) == leader else { continue }
        try? handle.send(.kill)
        _ = handle.awaitEnd(until: deadline)
      }
    }
  }

  /// Nil for a process that has ended.
  private static func session(of process: pid_t) -> pid_t? {
    guard let file = try? Descriptor.open("/proc/\(process)/stat", O_RDONLY) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      guard let count = try? file.read(into: room) else { return nil }
      // NUMBER (NAME) STATE PARENT GROUP SESSION ...: the name may hold blanks and parentheses.
      guard let name = room[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
      let fields = room[(name + 1)..<count].split(separator: UInt8(ascii: " "))
      guard fields.count > 3, fields[0].first != UInt8(ascii: "Z"), fields[0].first != UInt8(ascii: "X") else {
        return nil
      }
      return pid_t(String(decoding: fields[3], as: UTF8.self))
    }
  }
}
