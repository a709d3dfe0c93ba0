import Glibc
@_spi(Begat) import UnixCore

/// A user of this machine.
public struct User: Hashable, Sendable {
  public let name: String
  /// The user's number and groups, as a process of this user would have them.
  public let identity: Identity
  /// What the user is called among people: the first field of GECOS, with the name in the place of `&`; may be empty.
  public let fullName: String
  public let homeDirectory: String
  /// Never empty.
  public let shell: String
}

/// The users and groups of this machine, by name or number.
///
/// Source: getpwnam(3), getgrnam(3), getgrouplist(3).
public enum Users {
  /// The user of this name; of this number, where the text is one.  Nil when there is none.
  public static func find(_ text: String) -> User? {
    (getpwnam(text) ?? uid_t(decimal: text).flatMap { getpwuid($0) }).map { user($0.pointee) }
  }

  /// The user of this number; nil when there is none.
  ///
  /// Source: getpwuid(3).
  public static func find(_ number: uid_t) -> User? { getpwuid(number).map { user($0.pointee) } }

  /// The user called nobody; where there is none, the number that the kernel has for users whom it does not know.
  ///
  /// Source: `/proc/sys/kernel/overflowuid` in proc_sys_kernel(5).
  @_spi(Begat) public static var nobody: Identity { find("nobody")?.identity ?? Identity(user: 65534, group: 65534) }

  private static func user(_ entry: passwd) -> User {
    let name = String(cString: entry.pw_name)
    let shell = String(cString: entry.pw_shell)
    let group = entry.pw_gid
    return User(
      name: name,
      identity: Identity(user: entry.pw_uid, group: group, groups: groups(of: name, primary: group)),
      fullName: fullName(inGECOS: String(cString: entry.pw_gecos), of: name),
      homeDirectory: String(cString: entry.pw_dir), shell: shell.isEmpty ? "/bin/sh" : shell)
  }

  /// Source: passwd(5).
  static func fullName(inGECOS gecos: String, of user: String) -> String {
    let first = gecos.prefix { $0 != "," }
    let capitalized = user.prefix(1).uppercased() + user.dropFirst()
    return first.map { $0 == "&" ? capitalized : String($0) }.joined()
  }

  /// The number of the user of this name; the number itself, where the text is one and no user has it as its name.
  public static func number(of text: String) -> uid_t? {
    let number = getpwnam(text)?.pointee.pw_uid ?? uid_t(decimal: text)
    return number == uid_t.max ? nil : number
  }

  /// The number of the group of this name; the number itself, where the text is one and no group has it as its name.
  public static func findGroup(_ text: String) -> gid_t? { getgrnam(text)?.pointee.gr_gid ?? gid_t(decimal: text) }

  private static func groups(of name: String, primary: gid_t) -> [gid_t] {
    var count: CInt = 64
    var groups = [gid_t](repeating: 0, count: Int(count))
    if getgrouplist(name, primary, &groups, &count) == -1 {
      groups = [gid_t](repeating: 0, count: Int(count))
      guard getgrouplist(name, primary, &groups, &count) != -1 else { return [primary] }
    }
    return Array(groups.prefix(Int(count)))
  }
}
