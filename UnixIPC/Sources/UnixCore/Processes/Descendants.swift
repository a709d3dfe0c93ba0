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

  /// Whether descendants can be found: not without /proc.
  public static var areVisible: Bool { NumberedEntries.of("/proc")?.contains(getpid()) ?? false }

  /// The numbers of the living descendants.
  public static var all: [pid_t] { members().map(\.process) }

  /// Ends all descendants: SIGTERM, and SIGKILL for those that have not ended within the grace period, and for what they
  /// have started meanwhile.
  ///
  /// Without /proc it finds none of them.  A chain of processes that fork and end ends for sure only if `reap` reaps, after
  /// `adoptOrphans`.
  ///
  /// - Parameter signal: sent in the place of SIGTERM.
  /// - Parameter gracePeriod: how long they have from that signal to SIGKILL.
  /// - Parameter limit: how long to wait for killed ones.
  /// - Parameter reap: called again and again, to reap children that have ended; by default none is reaped.
  /// - Returns: false when some are left: those that the caller may not signal, or that the kernel does not let go.
  @discardableResult
  public static func terminate(
    by signal: Signal = .terminate, gracePeriod: Duration = .seconds(5), waitingForKilled limit: Duration = .seconds(5),
    reaping reap: (() -> Void)? = nil
  ) -> Bool {
    // Once each: many take a second SIGTERM for "at once".
    var asked: Set<Member> = []
    let deadline = Deadline(after: gracePeriod)
    while !deadline.isExpired {
      reap?()
      let living = members()
      if living.isEmpty, hasNone(afterReaping: reap != nil) { return true }
      for one in living where asked.insert(one).inserted {
        send(signal, to: one)
        // A stopped process ends only after it was continued.
        send(.continue, to: one)
      }
      // The others go on ending meanwhile, and those that fork without pause fill the table of processes.
      wait(forOneOf: living, until: min(deadline, Deadline(after: reapInterval)))
    }
    for one in members() { send(.kill, to: one) }
    return killAll(until: Deadline(after: limit), reaping: reap)
  }

  private static let reapInterval = Duration.milliseconds(50)

  /// Kills them round by round until there are none.
  ///
  /// A process that forks and ends is gone before a walk through all of /proc has found it.  Its child is the caller's own
  /// by then: `FreshChildren` kills it within microseconds.
  private static func killAll(until deadline: Deadline, reaping reap: (() -> Void)?) -> Bool {
    let children = FreshChildren()
    while true {
      let hasKilled = children.kill()
      reap?()
      if hasKilled, !deadline.isExpired { continue }
      let living = members()
      if living.isEmpty, hasNone(afterReaping: reap != nil) { return true }
      for one in living { send(.kill, to: one) }
      if deadline.isExpired { return false }
      wait(forOneOf: living, until: min(deadline, Deadline(after: .milliseconds(5))))
    }
  }

  /// Whether there is none, also none that started another while all were looked at, and ended.
  ///
  /// - Parameter hasReaped: whether a child that is left is one that lives: only this is sure.
  private static func hasNone(afterReaping hasReaped: Bool) -> Bool {
    !Children.exist || !hasReaped && members().isEmpty && ChildNumbers.all().allSatisfy(hasEnded)
  }

  private static func hasEnded(_ child: pid_t) -> Bool { ProcessStatus(of: child) == nil }

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

  private static func wait(forOneOf living: [Member], until deadline: Deadline) {
    guard let handle = living.first.flatMap({ handle(of: $0) }) else { return SystemClock.sleep(for: .milliseconds(1)) }
    _ = handle.waitForExit(until: deadline)
  }
}
