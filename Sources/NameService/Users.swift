import Glibc
import UnixIPC

/// A user of this machine.
public struct User: Hashable, Sendable {
  public let name: String
  /// The user's number and groups, as a process of this user would have them.
  public let identity: Identity
}

/// The users and groups of this machine, by name or number.
///
/// Source: getpwnam(3), getgrnam(3), getgrouplist(3).
public enum Users {
  /// The user of this name; of this number, where the text is one.  Nil when there is none.
  public static func find(_ text: String) -> User? {
    guard let entry = getpwnam(text) ?? uid_t(decimal: text).flatMap({ getpwuid($0) }) else { return nil }
    let name = String(cString: entry.pointee.pw_name)
    let user = entry.pointee.pw_uid
    let group = entry.pointee.pw_gid
    return User(name: name, identity: Identity(user: user, group: group, groups: groups(of: name, primary: group)))
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
