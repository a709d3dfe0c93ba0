import CPlatform
import Glibc

// A process group is what a terminal's keys and kill(2) with a negative number reach; a session is the groups of one
// login.  Both have the number of the process that made them, their leader, also after its end.
//
// Source: credentials(7).
extension ProcessControl {
  /// The calling process's group.
  ///
  /// Source: getpgrp(2).
  public static var ownGroup: pid_t { getpgrp() }

  /// Makes the calling process the leader of a group of its own, to which what it starts belongs too.  One that leads
  /// already, as the leader of a session does, stays it.
  ///
  /// Source: setpgid(2).
  public static func leadGroup() throws(CallFailure) {
    do throws(CallFailure) { _ = try check("setpgid") { setpgid(0, 0) } } catch {
      // What the leader of a session is told.
      if getpgrp() != getpid() { throw error }
    }
  }

  /// Makes the calling process the leader of a session of its own, and of a group in it, without a terminal.
  ///
  /// - Throws: `EPERM` when it leads a group, as the first process of a shell's command does: a forked child does not.
  ///
  /// Source: setsid(2).
  public static func leadSession() throws(CallFailure) { _ = try check("setsid") { setsid() } }

  /// The group that a process belongs to; 0 when its leader is outside of the caller's namespace.
  ///
  /// - Throws: `ESRCH` when there is no such process, `EINVAL` for numbers below 1.
  ///
  /// Source: getpgid(2).
  public static func group(of process: pid_t) throws(CallFailure) -> pid_t {
    try number(of: process, "getpgid", getpgid)
  }

  /// The session that a process belongs to; 0 when its leader is outside of the caller's namespace.
  ///
  /// - Throws: `ESRCH` when there is no such process, `EINVAL` for numbers below 1.
  ///
  /// Source: getsid(2).
  public static func session(of process: pid_t) throws(CallFailure) -> pid_t {
    try number(of: process, "getsid", getsid)
  }

  /// Puts the calling process, or a child of it, into a group of the same session.
  ///
  /// - Parameter child: one that has not executed a program yet; nil for the calling process.
  /// - Parameter group: an existing one, or the child's own number, which makes it a leader.
  /// - Throws: `EPERM` when there is no such group in the session, or for the leader of a session; `EACCES` when the
  ///   child has executed a program; `ESRCH` when it is no child; `EINVAL` for numbers below 1.
  ///
  /// Source: setpgid(2).
  public static func join(group: pid_t, child: pid_t? = nil) throws(CallFailure) {
    let who = child.map(String.init)
    guard group > 0, child ?? 1 > 0 else { throw CallFailure("setpgid", on: who, errno: .invalidArgument) }
    _ = try check("setpgid", on: who) { setpgid(child ?? 0, group) }
  }

  /// The processes of a group, as far as /proc shows them; those too that have ended and are not fetched yet.
  ///
  /// Source: proc(5).
  static func members(ofGroup group: pid_t) throws(CallFailure) -> [pid_t] {
    let processes = try DirectoryListing.names(in: "/proc").compactMap { pid_t($0) }
    // Who has ended since is in no group.
    return processes.filter { getpgid($0) == group }
  }

  /// 0 would mean the calling process.
  private static func number(
    of process: pid_t, _ call: StaticString, _ body: (pid_t) -> pid_t
  ) throws(CallFailure) -> pid_t {
    guard process > 0 else { throw CallFailure(call.description, on: String(process), errno: .invalidArgument) }
    return try check(call, on: String(process)) { body(process) }
  }
}
