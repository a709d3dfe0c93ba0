import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// The privileges of the calling process.
public enum Privileges {
  /// What a service keeps that needs more than most.
  public struct Kept: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The capabilities of root, for its own programs, which are worth nothing without them.
    public static let capabilities = Kept(rawValue: 1)
    /// That executing a set-user-ID program has its effect.
    public static let gains = Kept(rawValue: 2)
  }

  /// Whether no program can gain privileges that this process executes.
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
    let emptiesBoundingSet = kept.isEmpty && confinement_may_empty_bounding_set()
    if emptiesBoundingSet { try done(confinement_empty_bounding_set(), "PR_CAPBSET_DROP") }
    try identity?.become()
    if !kept.contains(.capabilities) { try done(confinement_clear_capabilities(), "capset") }
    if !kept.contains(.gains) { try done(confinement_set_no_new_privileges(), "PR_SET_NO_NEW_PRIVS") }
    try done(confinement_clear_dumpable(), "PR_SET_DUMPABLE")

    var gone = CONFINEMENT_AMBIENT
    if !kept.contains(.capabilities) { gone |= CONFINEMENT_EFFECTIVE | CONFINEMENT_PERMITTED | CONFINEMENT_INHERITABLE }
    if emptiesBoundingSet { gone |= CONFINEMENT_BOUNDING }
    let sets = confinement_capability_sets()
    try done(sets, "capget")
    guard Int(sets) & gone == 0 else { throw SystemCallError("capset", on: "not effective", code: .notPermitted) }
    guard kept.contains(.gains) || cannotBeGained else {
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
