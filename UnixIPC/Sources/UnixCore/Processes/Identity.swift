import CPlatform
import Glibc

/// The user and groups that a process acts as.
///
/// Source: credentials(7).
public struct Identity: Hashable, Sendable {
  /// The user's number.
  public var user: uid_t
  /// The number of the primary group.
  public var group: gid_t
  /// The numbers of the supplementary groups.
  public var groups: [gid_t]

  /// An identity by its numbers.
  ///
  /// - Parameter user: the user.
  /// - Parameter group: the primary group.
  /// - Parameter groups: the supplementary groups; none by default, whatever the user's entry says.
  public init(user: uid_t, group: gid_t, groups: [gid_t] = []) {
    self.user = user
    self.group = group
    self.groups = groups
  }

  /// The effective user and group of the calling process, and its supplementary groups.
  ///
  /// Becoming it needs no privileges: in a set-user-ID program, that gives up the way back to the real user.
  ///
  /// Source: geteuid(2), getgroups(2).
  public static var effective: Identity { Identity(user: geteuid(), group: getegid(), groups: ownGroups) }

  /// The real user and group of the calling process, and its supplementary groups: in a set-user-ID program, the user
  /// who started it.
  ///
  /// Becoming it needs no privileges, and gives up those that the program's file has given: perlipc's
  /// `($EUID, $EGID) = ($UID, $GID)` without the way back.
  ///
  /// Source: getuid(2), getgroups(2).
  public static var real: Identity { Identity(user: getuid(), group: getgid(), groups: ownGroups) }

  private static var ownGroups: [gid_t] {
    var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
    let count = getgroups(CInt(groups.count), &groups)
    return Array(groups.prefix(max(0, Int(count))))
  }

  /// Becomes this identity forever: real, effective and saved, groups before user, and checked afterwards.
  ///
  /// A process without privileges can become its real, effective or saved user and group, if its supplementary groups are
  /// this identity's: it cannot change those, and no group that the identity does not have is kept silently.
  ///
  /// Afterwards the calling thread has no inheritable and no ambient capability, and no other one either unless the user
  /// is root: no program that it executes can come back by them.  Capabilities of other threads stay as the kernel leaves
  /// them.
  ///
  /// The kernel clears the parent-death signal: set it afterwards.
  ///
  /// - Throws: `EPERM` without the privileges for it.
  ///
  /// Source: setgroups(2), setresgid(2), setresuid(2), capset(2).
  public func become() throws(SystemCallError) {
    let supplementary = groups
    do throws(SystemCallError) {
      _ = try check("setgroups", on: groupList) { setgroups(supplementary.count, supplementary) }
    } catch { if error.code != .notPermitted { throw error } }
    guard platform_has_groups(supplementary, supplementary.count, group) else {
      throw SystemCallError("setgroups", on: groupList, code: .notPermitted)
    }
    _ = try check("setresgid", on: String(group)) { platform_setresgid(group) }
    _ = try check("setresuid", on: String(user)) { platform_setresuid(user) }

    var users: (uid_t, uid_t, uid_t) = (0, 0, 0)
    var groups: (gid_t, gid_t, gid_t) = (0, 0, 0)
    _ = try check("getresuid") { platform_getresuid(&users.0, &users.1, &users.2) }
    _ = try check("getresgid") { platform_getresgid(&groups.0, &groups.1, &groups.2) }
    guard users == (user, user, user), groups == (group, group, group) else {
      throw SystemCallError("setresuid", on: String(user), code: .notPermitted)
    }
    _ = try check("capset") { platform_drop_capabilities(user == 0) }
  }

  /// The supplementary groups as an error names them.
  private var groupList: String { groups.isEmpty ? "no groups" : groups.map(String.init).joined(separator: ",") }
}
