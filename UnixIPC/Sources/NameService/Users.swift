import Glibc
@_spi(Begat) import UnixCore

/// A user of this machine.
///
/// Source: passwd(5).
public struct User: Hashable, Sendable {
  /// The user's name, as it is used to log in.
  public let name: String
  /// The user's number and groups, as a process of this user would have them.
  public let identity: Identity
  /// The user's name as a person: the first field of GECOS, with the login name in the place of `&`; may be empty.
  public let fullName: String
  /// The path of the user's home directory.
  public let homeDirectory: String
  /// The path of the user's shell; never empty.
  public let shell: String
}

/// Looks up the users and groups of this machine, by name or number.  Any thread may call it.
///
/// Source: getpwnam_r(3), getgrnam_r(3), getgrouplist(3).
public enum Users {
  /// Finds the user of a name or, if no user has that name and the text is a number, of that number.
  ///
  /// - Returns: nil if there is no such user.
  public static func find(_ text: String) -> User? {
    DatabaseEntry.find(
      passwd(), named: text, "getpwnam_r", { getpwnam_r($0, &$1, $2, $3, &$4) }, user)
      ?? AccountName.number(text).flatMap { find($0) }
  }

  /// Finds the user of a number; nil if there is none.
  ///
  /// Source: getpwuid_r(3).
  public static func find(_ number: uid_t) -> User? {
    DatabaseEntry.find(passwd(), { getpwuid_r(number, &$0, $1, $2, &$3) }, user)
  }

  /// The user called nobody; if there is none, the number that the kernel has for unknown users.
  ///
  /// Source: `/proc/sys/kernel/overflowuid` in proc_sys_kernel(5).
  @_spi(Begat) public static var nobody: Identity { find("nobody")?.identity ?? Identity(user: 65534, group: 65534) }

  /// The name of the user of a number; nil if there is none.  Groups are not looked up.
  @_spi(Begat) public static func name(of number: uid_t) -> String? {
    DatabaseEntry.find(passwd(), { getpwuid_r(number, &$0, $1, $2, &$3) }) { String(cString: $0.pw_name) }
  }

  /// The name of the group of a number; nil if there is none.
  ///
  /// Source: getgrgid_r(3).
  @_spi(Begat) public static func groupName(of number: gid_t) -> String? {
    DatabaseEntry.find(group(), { getgrgid_r(number, &$0, $1, $2, &$3) }) { String(cString: $0.gr_name) }
  }

  private static func user(_ entry: passwd) -> User {
    let name = String(cString: entry.pw_name)
    let shell = String(cString: entry.pw_shell)
    let group = entry.pw_gid
    return User(
      name: name,
      identity: Identity(user: entry.pw_uid, group: group, groups: groups(of: entry.pw_name, primary: group)),
      fullName: fullName(inGECOS: String(cString: entry.pw_gecos), of: name),
      homeDirectory: String(cString: entry.pw_dir), shell: shell.isEmpty ? "/bin/sh" : shell)
  }

  /// Source: passwd(5).
  static func fullName(inGECOS gecos: String, of user: String) -> String {
    let first = gecos.prefix { $0 != "," }
    let capitalized = user.prefix(1).uppercased() + user.dropFirst()
    return first.map { $0 == "&" ? capitalized : String($0) }.joined()
  }

  /// Finds the number of the user of a name; the number itself if the text is one and no user has it as a name.
  ///
  /// - Returns: nil if there is no such user and the text is no number.
  public static func number(of text: String) -> uid_t? {
    DatabaseEntry.find(passwd(), named: text, "getpwnam_r", { getpwnam_r($0, &$1, $2, $3, &$4) }, \.pw_uid)
      ?? AccountName.number(text)
  }

  /// Finds the number of the group of a name; the number itself if the text is one and no group has it as a name.
  ///
  /// - Returns: nil if there is no such group and the text is no number.
  public static func findGroup(_ text: String) -> gid_t? {
    DatabaseEntry.find(group(), named: text, "getgrnam_r", { getgrnam_r($0, &$1, $2, $3, &$4) }, \.gr_gid)
      ?? AccountName.number(text)
  }

  private static func groups(of name: UnsafePointer<CChar>, primary: gid_t) -> [gid_t] {
    var count: CInt = 64
    var groups = [gid_t](repeating: 0, count: Int(count))
    if getgrouplist(name, primary, &groups, &count) == -1 {
      groups = [gid_t](repeating: 0, count: Int(count))
      guard getgrouplist(name, primary, &groups, &count) != -1 else { return [primary] }
    }
    return Array(groups.prefix(Int(count)))
  }
}
