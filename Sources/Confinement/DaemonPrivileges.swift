import CConfinement
import Glibc
@_spi(Begat) import UnixCore

extension Capabilities {
  /// The capabilities that begatd keeps: a reload may add a user, a low port, a socket's owner or a limit.
  public static let ofDaemon: Capabilities = [
    .setUser, .setGroup, .kill, .bindLowPorts, .changeOwner, .setCapabilities, .raiseLimits, .lowerNice,
  ]

  /// The capabilities that a process needs to become another user before it gives up all.
  public static let ofStarts: Capabilities = [.setUser, .setGroup, .setCapabilities, .raiseLimits]
}

/// The privileges of begatd, which keeps some capabilities as long as it runs.
///
/// Capabilities belong to a thread: all of this is for a process that has no other one yet, except `lend`, which is for
/// the thread that starts processes.
public enum DaemonPrivileges {
  /// Whether this process has cut its bounding set: the programs that it starts, and theirs, can gain no more than is left.
  ///
  /// It changes once, before there is another thread.
  nonisolated(unsafe) public private(set) static var haveCutBoundingSet = false

  /// Lets only the capabilities of begatd have an effect, and closes its memory to other processes of its user: programs
  /// of services may be such.
  ///
  /// It comes before everything that a reload does again, so that what works at the start works later.  Capabilities that
  /// are permitted without an effect, as those of a file may be, get one.
  public static func reduceEffective() throws(SystemCallError) {
    let sets = try Privileges.currentSets()
    let kept = sets.permitted.intersection(.ofDaemon)
    try set(effective: kept, permitted: sets.permitted)
    try Privileges.forbidDumps()
  }

  /// Gives up the other capabilities forever.
  ///
  /// - Parameter cutsBoundingSet: whether those are taken from the bounding set too, where that is permitted.
  public static func giveUpOthers(cutsBoundingSet: Bool) throws(SystemCallError) {
    let sets = try Privileges.currentSets()
    if cutsBoundingSet, sets.effective.contains(.setCapabilities) {
      try Privileges.done(confinement_cut_bounding_set(Capabilities.ofDaemon.rawValue), "PR_CAPBSET_DROP")
      let left = try Privileges.currentSets().bounding
      try Privileges.confirm(left.isSubset(of: .ofDaemon), "prctl", "PR_CAPBSET_DROP")
      haveCutBoundingSet = true
    }
    let kept = sets.permitted.intersection(.ofDaemon)
    try set(effective: kept, permitted: kept)
  }

  /// Runs the body with all permitted capabilities in effect: while begatd starts, that is all that it was started with.
  public static func withAllPermitted<Result>(_ body: () -> Result) throws(SystemCallError) -> Result {
    let sets = try Privileges.currentSets()
    guard sets.permitted != sets.effective else { return body() }
    try set(effective: sets.permitted, permitted: sets.permitted)
    let result = body()
    try set(effective: sets.effective, permitted: sets.permitted)
    return result
  }

  /// Starts a process that needs capabilities to become another user, and has them as ambient ones.
  ///
  /// A process of root's gets them without that, too.
  ///
  /// - Parameter start: starts the process.
  /// - Returns: its number.
  /// - Throws: also if the capabilities cannot be taken back, as the next process would get them too; the started one is
  ///   killed then.
  public static func lend(
    _ capabilities: Capabilities, to start: () throws(SystemCallError) -> pid_t
  ) throws(SystemCallError) -> pid_t {
    let sets = try Privileges.currentSets()
    let lent = capabilities.intersection(sets.permitted).intersection(sets.bounding)
    if lent.isEmpty { return try start() }
    let process: pid_t
    do throws(SystemCallError) {
      try passOn(lent, of: sets)
      process = try start()
    } catch {
      try set(effective: sets.effective, permitted: sets.permitted)
      throw error
    }
    do throws(SystemCallError) { try set(effective: sets.effective, permitted: sets.permitted) } catch {
      try? Signal.kill.send(to: process)
      _ = try? Children.waitForExit(of: process, until: Deadline(after: .seconds(1)))
      _ = Children.reap(process)
      throw error
    }
    return process
  }

  /// Runs the body with another user's rights to files, and with begatd's capabilities, in a process of root's.
  ///
  /// What it makes belongs to that user, and links of the user's making lead it nowhere that the user may not go.
  public static func acting<Result>(
    as user: uid_t, group: gid_t, _ body: () -> Result
  ) throws(SystemCallError) -> Result {
    let sets = try Privileges.currentSets()
    let own = Identity.effective
    // Only root may change groups: they come first here, and last on the way back.
    try Privileges.done(setgroups(1, [group]), "setgroups")
    try Privileges.done(setegid(group), "setegid")
    try Privileges.done(seteuid(user), "seteuid")
    // They lose their effect with the change of the user.
    try Privileges.done(
      confinement_write_capabilities(sets.permitted.intersection(.ofDaemon).rawValue, sets.permitted.rawValue, 0),
      "capset")
    let result = body()
    try Privileges.done(seteuid(own.user), "seteuid")
    try Privileges.done(setegid(own.group), "setegid")
    try Privileges.done(setgroups(own.groups.count, own.groups), "setgroups")
    return result
  }

  /// Executes another program in this process, which has the same capabilities then, as ambient ones.
  ///
  /// A program of root's has them without that, and one whose file has capabilities has those.
  ///
  /// - Parameter execute: returns only by an error; then everything is as before.
  public static func keepOver(_ execute: () throws(SystemCallError) -> Never) throws(SystemCallError) -> Never {
    let sets = try Privileges.currentSets()
    let kept = sets.permitted.intersection(sets.bounding)
    if kept.isEmpty { try execute() }
    do throws(SystemCallError) {
      try passOn(kept, of: sets)
      try execute()
    } catch {
      try set(effective: sets.effective, permitted: sets.permitted)
      throw error
    }
  }

  /// Lets the programs that this process executes have capabilities.
  private static func passOn(_ capabilities: Capabilities, of sets: CapabilitySets) throws(SystemCallError) {
    try Privileges.done(
      confinement_write_capabilities(sets.effective.rawValue, sets.permitted.rawValue, capabilities.rawValue), "capset")
    let result = confinement_raise_ambient_capabilities(capabilities.rawValue)
    if geteuid() != 0 { try Privileges.done(result, "PR_CAP_AMBIENT_RAISE") }
  }

  /// Explains why begatd as root may not use a file, and says what to do; empty for other errors and users.
  public static func fileAdvice(_ code: ErrorCode) -> String {
    guard code == .permissionDenied, geteuid() == 0, !Capabilities.effective.contains(.overrideFilePermissions) else {
      return ""
    }
    return ": begatd gives up CAP_DAC_OVERRIDE, so file permissions apply to it; make root the owner of the file and "
      + "its directories"
  }

  private static func set(effective: Capabilities, permitted: Capabilities) throws(SystemCallError) {
    try Privileges.done(confinement_clear_ambient_capabilities(), "PR_CAP_AMBIENT_CLEAR_ALL")
    let isWritten = try Privileges.write(effective: effective, permitted: permitted)
    let sets = try Privileges.currentSets()
    try Privileges.confirm(
      sets.effective == effective && sets.permitted == permitted && sets.ambient.isEmpty
        && (sets.inheritable.isEmpty || !isWritten),
      "capset", nil)
  }
}
