import CPlatform
import Glibc

/// The descendants of the calling process: its children, their children, and so on, in any group and session, as /proc
/// shows them.
///
/// A process whose parent ends becomes a child of another process and is no descendant any more, unless `adoptOrphans`
/// was called before.
///
/// Source: proc(5), PR_SET_CHILD_SUBREAPER(2const).
public enum Descendants {
  /// Makes the calling process the parent of every descendant that loses its own, instead of process 1, so that a
  /// daemon cannot escape.  They are the caller's to reap (`Children.reapAny`).
  public static func adoptOrphans() throws(SystemCallError) {
    _ = try check("prctl") { platform_prctl(PR_SET_CHILD_SUBREAPER, 1) }
  }

  /// The numbers of the living descendants.
  public static var all: [pid_t] { members().map(\.process) }

  /// Ends all descendants: SIGTERM, and SIGKILL for those that have not ended within the grace period, and for what they
  /// have started meanwhile.  It reaps none.
  ///
  /// - Parameter gracePeriod: how long they have from SIGTERM to SIGKILL.
  /// - Parameter limit: how long to wait for killed ones.
  /// - Returns: false when some are left: those that the caller may not signal, or that the kernel does not let go.
  @discardableResult
  public static func terminate(gracePeriod: Duration = .seconds(5), waitingForKilled limit: Duration = .seconds(5))
    -> Bool
  {
    // Once each: many take a second SIGTERM for "at once".
    var asked: Set<Member> = []
    let deadline = Deadline(after: gracePeriod)
    while !deadline.isExpired {
      let living = members()
      if living.isEmpty { return true }
      for one in living where asked.insert(one).inserted {
        send(.terminate, to: one)
        // A stopped process ends only after it was continued.
        send(.continue, to: one)
      }
      // The others go on ending meanwhile.
      waitForExit(of: living[0], until: deadline)
    }
    return KillRounds.run(until: Deadline(after: limit), members: members, handle: handle)
  }

  /// A descendant, whatever becomes of its number and its parents.
  private struct Member: Hashable {
    let process: pid_t
    let startTime: UInt64
  }

  private static func members() -> [Member] {
    var children: [pid_t: [Member]] = [:]
    for process in NumberedEntries.of("/proc") ?? [] {
      guard let status = ProcessStatus(of: process) else { continue }
      children[status.parent, default: []].append(Member(process: process, startTime: status.startTime))
    }
    var found: [Member] = []
    var parents = [getpid()]
    while let parent = parents.popLast() {
      let theirs = children.removeValue(forKey: parent) ?? []
      found += theirs
      parents += theirs.map(\.process)
    }
    return found
  }

  /// Nil if another process has the number by now.
  private static func handle(of one: Member) -> ProcessHandle? {
    guard let handle = try? ProcessHandle(one.process), ProcessStatus(of: one.process)?.startTime == one.startTime
    else { return nil }
    return handle
  }

  private static func send(_ signal: Signal, to one: Member) { try? handle(of: one)?.send(signal) }

  private static func waitForExit(of one: Member, until deadline: Deadline) {
    _ = handle(of: one)?.waitForExit(until: deadline)
  }
}
