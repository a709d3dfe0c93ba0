import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// The privileges of the calling process.
public enum Privileges {
  /// Gives up all privileges forever, and checks that they are gone.
  ///
  /// Ambient capabilities come first: they would reach every executed program, and they survive a change of user.  The
  /// bounding set can be emptied by a privileged process only; without capabilities and set-user-ID programs it matters
  /// no more.
  ///
  /// - Parameter identity: the user and groups to become; nil keeps them.
  /// - Parameter keepsCapabilities: for root's own programs, which are worth nothing without them.
  ///
  /// Source: capabilities(7), PR_SET_NO_NEW_PRIVS(2const), PR_SET_DUMPABLE(2const).
  public static func giveUp(becoming identity: Identity?, keepsCapabilities: Bool) throws(SystemCallError) {
    try done(confinement_clear_ambient_capabilities(), "PR_CAP_AMBIENT_CLEAR_ALL")
    let emptiesBoundingSet = !keepsCapabilities && confinement_may_empty_bounding_set()
    if emptiesBoundingSet { try done(confinement_empty_bounding_set(), "PR_CAPBSET_DROP") }
    try identity?.become()
    if !keepsCapabilities { try done(confinement_clear_capabilities(), "capset") }
    try done(confinement_set_no_new_privileges(), "PR_SET_NO_NEW_PRIVS")
    try done(confinement_clear_dumpable(), "PR_SET_DUMPABLE")

    var gone = CONFINEMENT_AMBIENT
    if !keepsCapabilities { gone |= CONFINEMENT_EFFECTIVE | CONFINEMENT_PERMITTED | CONFINEMENT_INHERITABLE }
    if emptiesBoundingSet { gone |= CONFINEMENT_BOUNDING }
    let sets = confinement_capability_sets()
    try done(sets, "capget")
    guard Int(sets) & gone == 0 else { throw SystemCallError("capset", on: "not effective", code: .notPermitted) }
    guard confinement_has_no_new_privileges() == 1 else {
      throw SystemCallError("prctl", on: "PR_SET_NO_NEW_PRIVS, not effective", code: .notPermitted)
    }
    guard confinement_is_dumpable() == 0 else {
      throw SystemCallError("prctl", on: "PR_SET_DUMPABLE, not effective", code: .notPermitted)
    }
  }

  /// Forbids core files, by a limit that cannot be raised again.
  public static func forbidCores() throws(SystemCallError) {
    try ResourceLimit.coreSize.set(soft: 0, hard: 0)
    guard try ResourceLimit.coreSize.current() == (0, 0) else {
      throw SystemCallError("setrlimit", on: "RLIMIT_CORE, not effective", code: .notPermitted)
    }
  }

  private static func done(_ result: CInt, _ step: String) throws(SystemCallError) {
    guard result == -1 else { return }
    let isOption = step.hasPrefix("PR_")
    throw SystemCallError(isOption ? "prctl" : step, on: isOption ? step : nil, code: ErrorCode(rawValue: errno))
  }
}
