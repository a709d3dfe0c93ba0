import Glibc
import Settings
@_spi(Begat) import UnixCore

/// What a configuration depends on outside its files: who reads it and on which paths.
struct Surroundings {
  /// The user and group that begatd runs as.
  var identity: Identity
  /// What is read when no file is asked for.
  var systemFile = "/etc/begat/begatd.toml"
  /// What `%t` stands for.
  var runtimeDirectory: String
  /// Bytes that the arguments of a listener may take: a quarter of the usual limit of a stack.
  var argumentRoom = 2 << 20

  var isRoot: Bool { identity.user == 0 }

  static var actual: Surroundings {
    var identity = Identity.effective
    identity.groups = ownGroups
    var surroundings = Surroundings(identity: identity, runtimeDirectory: RuntimeDirectory.path)
    if let stack = try? ResourceLimit.stackSize.current().soft {
      // The kernel's least is 128 KiB; more than usual is not counted on, begatd may be started elsewhere.
      surroundings.argumentRoom = min(surroundings.argumentRoom, max(Int(clamping: stack / 4), 128 << 10))
    }
    return surroundings
  }

  /// Source: getgroups(2).
  private static var ownGroups: [gid_t] {
    var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
    let count = getgroups(CInt(groups.count), &groups)
    return Array(groups.prefix(max(0, Int(count))))
  }
}
