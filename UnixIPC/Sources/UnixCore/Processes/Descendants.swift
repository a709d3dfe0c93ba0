import CPlatform
import Glibc

/// What the calling process has started, what that has started, and so on, whatever groups and sessions they are in; as
/// /proc shows them.
///
/// One whose parent ends is another's child then, and lost to this, unless `adoptOrphans` was called before.
///
/// Source: proc(5), PR_SET_CHILD_SUBREAPER(2const).
public enum Descendants {
  /// Makes the calling process the parent of every descendant that loses its own, instead of process 1, so that a
  /// daemon cannot hide among everybody's.  They are the caller's to fetch (`Children.reapAny`).
  public static func adoptOrphans() throws(SystemCallError) {
    _ = try check("prctl") { platform_prctl(PR_SET_CHILD_SUBREAPER, 1) }
  }

  /// The living ones.
  public static var all: [pid_t] { members().map(\.process) }

  /// Ends them all: SIGTERM, and SIGKILL for those that have not ended within `patience`, and for what they have
  /// started meanwhile.  Fetches nobody.
  ///
  /// - Parameter limit: how long killed ones are waited for.
  /// - Returns: false when some are left: those that the caller may not signal, or that the kernel does not let go.
  @discardableResult
  public static func end(patience: Duration = .seconds(5), killing limit: Duration = .seconds(5)) -> Bool {
    // Once each: many take a second SIGTERM for "at once".
    var asked: Set<Member> = []
    let deadline = Deadline(after: patience)
    while !deadline.hasPassed {
      let living = members()
      if living.isEmpty { return true }
      for one in living where asked.insert(one).inserted {
        send(.terminate, to: one)
        // A stopped process ends only when it may go on.
        send(.continue, to: one)
      }
      // The others go on ending meanwhile.
      awaitEnd(of: living[0], until: deadline)
    }
    return kill(until: Deadline(after: limit))
  }

  /// Again and again, since fork(2) may have made more meanwhile.
  private static func kill(until deadline: Deadline) -> Bool {
    while true {
      let living = members()
      if living.isEmpty { return true }
      if deadline.hasPassed { return false }
      for one in living { send(.kill, to: one) }
      awaitEnd(of: living[0], until: deadline)
    }
  }

  /// One of them, whatever becomes of its number and its parents.
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

  /// The number may be another's by now, who is nobody's business.
  private static func handle(of one: Member) -> ProcessHandle? {
    guard let handle = try? ProcessHandle(one.process), ProcessStatus(of: one.process)?.startTime == one.startTime
    else { return nil }
    return handle
  }

  private static func send(_ signal: Signal, to one: Member) { try? handle(of: one)?.send(signal) }

  private static func awaitEnd(of one: Member, until deadline: Deadline) {
    _ = handle(of: one)?.awaitEnd(until: deadline)
  }
}
