import Glibc
@_spi(Begat) import UnixCore

/// A user and group that a text stands for: `USER` or `USER:GROUP`, names or numbers.
///
/// A name wins over a number, as with chown(1).  A number needs no entry in the user database.
@_spi(Begat) public struct Account: Hashable, Sendable {
  /// The user; for a number without an entry one with this number as name and group, no other group and the home `/`.
  public let user: User
  /// The group, if the text has one.
  public let group: gid_t?

  /// Why a text stands for no user.
  public struct LookupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The part that is wrong, escaped, and why.
    public let description: String
  }

  /// Looks up the parts of a text.
  public init(_ text: String) throws(LookupError) {
    guard let name = AccountName(text) else {
      throw LookupError(description: "expected USER or USER:GROUP, found \"\(escaped(text.utf8))\"")
    }
    guard let user = Users.find(name.user) ?? AccountName.number(name.user).map(User.init(unlisted:)) else {
      throw LookupError(description: "no user \"\(escaped(name.user.utf8))\" on this machine")
    }
    self.user = user
    group = try name.group.map { (text) throws(LookupError) in try Account.group(text) }
  }

  /// Looks up a group that stands alone.
  public static func group(_ text: String) throws(LookupError) -> gid_t {
    if let group = Users.findGroup(text) { return group }
    throw LookupError(description: "no group \"\(escaped(text.utf8))\" on this machine")
  }
}

extension User {
  /// The user of a number that has no entry.
  ///
  /// Source: passwd(5), and the users that sudo(8) makes for `-u '#UID'`.
  @_spi(Begat) public init(unlisted number: uid_t) {
    self.init(
      name: String(number), identity: Identity(user: number, group: number), fullName: "", homeDirectory: "/",
      shell: "/bin/sh")
  }
}

extension Identity {
  /// The same with another primary group, which takes the place of the user's own, as by initgroups(3).
  @_spi(Begat) public func with(group: gid_t?) -> Identity {
    guard let group else { return self }
    return Identity(user: user, group: group, groups: [group] + groups.filter { $0 != self.group && $0 != group })
  }
}
