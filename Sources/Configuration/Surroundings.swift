import Glibc
import Settings
import UnixIPC

/// What a configuration depends on outside its files: who reads it and on which paths.
struct Surroundings {
  /// The user and group that begatd runs as.
  var identity: Identity
  /// What is read when no file is asked for.
  var systemFile = "/etc/begat/begatd.toml"
  /// What `%t` stands for.
  var runtimeDirectory: String

  var isRoot: Bool { identity.user == 0 }

  static var actual: Surroundings {
    var identity = Identity.effective
    identity.groups = ownGroups
    return Surroundings(identity: identity, runtimeDirectory: RuntimeDirectory.path)
  }

  /// Source: getgroups(2).
  private static var ownGroups: [gid_t] {
    var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
    let count = getgroups(CInt(groups.count), &groups)
    return Array(groups.prefix(max(0, Int(count))))
  }
}
