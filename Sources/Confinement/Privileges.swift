import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// The privileges of the calling process.
public enum Privileges {
  /// Privileges that a service may keep.
  public struct Kept: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The capabilities of root, for its own programs that may change their user.
    public static let capabilities = Kept(rawValue: 1)
    /// The effect of executing a set-user-ID program.
    public static let gains = Kept(rawValue: 2)
  }

  /// Whether programs that this process executes can gain no privileges.
  public static var cannotBeGained: Bool { confinement_has_no_new_privileges() == 1 }

  /// Gives up all privileges forever, and checks that they are gone.
  ///
  /// Ambient capabilities come first: they would reach every executed program, and they survive a change of user.  The
  /// bounding set can be emptied by a privileged process only; without capabilities and set-user-ID programs it matters
  /// no more.
  ///
  /// - Parameter identity: the user and groups to become; nil keeps them.
  /// - Parameter kept: what is not given up.
  ///
  /// Source: capabilities(7), PR_SET_NO_NEW_PRIVS(2const), PR_SET_DUMPABLE(2const).
  public static func giveUp(becoming identity: Identity?, keeping kept: Kept) throws(SystemCallError) {
    try done(confinement_clear_ambient_capabilities(), "PR_CAP_AMBIENT_CLEAR_ALL")
    let emptiesBoundingSet = kept.isEmpty && Capabilities.effective.contains(.setCapabilities)
    if emptiesBoundingSet { try done(confinement_cut_bounding_set(0), "PR_CAPBSET_DROP") }
    try identity?.become()
    let left = kept.contains(.capabilities) ? try currentSets() : nil
    let isWritten = try write(effective: left?.effective ?? [], permitted: left?.permitted ?? [])
    if !kept.contains(.gains) { try done(confinement_set_no_new_privileges(), "PR_SET_NO_NEW_PRIVS") }
    try forbidDumps()

    let sets = try currentSets()
    let own: Capabilities = kept.contains(.capabilities) ? [] : sets.effective.union(sets.permitted)
    let passedOn = (isWritten ? sets.inheritable : []).union(sets.ambient)
      .union(emptiesBoundingSet ? sets.bounding : [])
    try confirm(own.union(passedOn).isEmpty, "capset", nil)
    try confirm(kept.contains(.gains) || cannotBeGained, "prctl", "PR_SET_NO_NEW_PRIVS")
  }

  /// Makes the process not dumpable: no core file, and no access to its memory for other processes of its user.
  static func forbidDumps() throws(SystemCallError) {
    try done(confinement_clear_dumpable(), "PR_SET_DUMPABLE")
    try confirm(confinement_is_dumpable() == 0, "prctl", "PR_SET_DUMPABLE")
  }

  /// Forbids core files, by a limit that cannot be raised again.
  public static func forbidCores() throws(SystemCallError) {
    try ResourceLimit.coreSize.set(soft: 0, hard: 0)
    try confirm(try ResourceLimit.coreSize.current() == (0, 0), "setrlimit", "RLIMIT_CORE")
  }

  /// Sets the capabilities of the calling thread and clears the inheritable set.
  ///
  /// The filter of a unit whose processes need no such call may refuse it.  That is no failure where only the inheritable
  /// set would change: a program gets those by capabilities of its file, which no_new_privs prevents.
  ///
  /// - Returns: false if inheritable capabilities remain because a filter refuses the call.
  static func write(effective: Capabilities, permitted: Capabilities) throws(SystemCallError) -> Bool {
    guard confinement_write_capabilities(effective.rawValue, permitted.rawValue, 0) == -1 else { return true }
    let code = ErrorCode(rawValue: errno)
    let sets = try currentSets()
    guard code == .notPermitted, cannotBeGained, sets.effective == effective, sets.permitted == permitted else {
      throw SystemCallError("capset", code: code)
    }
    return sets.inheritable.isEmpty
  }

  static func currentSets() throws(SystemCallError) -> CapabilitySets {
    guard let sets = CapabilitySets.current else { throw SystemCallError("capget", code: ErrorCode(rawValue: errno)) }
    return sets
  }

  /// Refuses to go on after a step that had no effect although it did not fail.
  static func confirm(_ isDone: Bool, _ call: String, _ object: String?) throws(SystemCallError) {
    guard !isDone else { return }
    throw SystemCallError(call, on: (object.map { "\($0), " } ?? "") + "not effective", code: .notPermitted)
  }

  static func done(_ result: CInt, _ step: String) throws(SystemCallError) {
    guard result == -1 else { return }
    let isOption = step.hasPrefix("PR_")
    throw SystemCallError(isOption ? "prctl" : step, on: isOption ? step : nil, code: ErrorCode(rawValue: errno))
  }
}
