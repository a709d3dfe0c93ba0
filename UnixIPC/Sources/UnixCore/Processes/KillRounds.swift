/// Kills processes that may start others meanwhile.
enum KillRounds {
  /// Sends SIGKILL to all members, and again to those that are found then, until there are none.
  ///
  /// The first round is sent even if the deadline has passed: it bounds the waits alone.
  ///
  /// - Parameter deadline: how long to wait for killed ones: a process in uninterruptible sleep does not end.
  /// - Parameter members: finds those that live.
  /// - Parameter handle: opens a handle of one; nil if another process has its number by now.
  /// - Returns: false when some are left.
  static func run<Member>(
    until deadline: Deadline, members: () -> [Member], handle: (Member) -> ProcessHandle?
  ) -> Bool {
    while true {
      let living = members()
      guard let first = living.first else { return true }
      for member in living { try? handle(member)?.send(.kill) }
      if deadline.isExpired { return false }
      // The others go on ending meanwhile.
      switch handle(first) {
      case .some(let handle): _ = handle.waitForExit(until: deadline)
      // It has ended, or no descriptor is left to watch it with.
      case nil: SystemClock.sleep(for: .milliseconds(1))
      }
    }
  }
}
