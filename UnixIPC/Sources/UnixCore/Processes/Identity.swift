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

  /// The effective user and group of the calling process.
  public static var effective: Identity { Identity(user: geteuid(), group: getegid()) }

  /// Becomes this identity forever: real, effective and saved, groups before user, and checked afterwards.
  ///
  /// The kernel clears the parent-death signal: set it afterwards.
  ///
  /// - Throws: `EPERM` without the privileges for it.
  ///
  /// Source: setgroups(2), setresgid(2), setresuid(2).
  public func become() throws(SystemCallError) {
    let supplementary = groups
    _ = try check("setgroups") { setgroups(supplementary.count, supplementary) }
    _ = try check("setresgid", on: String(group)) { platform_setresgid(group) }
    _ = try check("setresuid", on: String(user)) { platform_setresuid(user) }

    var users: (uid_t, uid_t, uid_t) = (0, 0, 0)
    var groups: (gid_t, gid_t, gid_t) = (0, 0, 0)
    _ = try check("getresuid") { platform_getresuid(&users.0, &users.1, &users.2) }
    _ = try check("getresgid") { platform_getresgid(&groups.0, &groups.1, &groups.2) }
    guard users == (user, user, user), groups == (group, group, group) else {
      throw SystemCallError("setresuid", on: String(user), code: .notPermitted)
    }
  }
}
