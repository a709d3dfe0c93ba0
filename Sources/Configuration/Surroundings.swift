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
    var surroundings = Surroundings(identity: .effective, runtimeDirectory: RuntimeDirectory.path)
    if let stack = try? ResourceLimit.stackSize.current().soft {
      // The kernel's least is 128 KiB; more than usual is not counted on, begatd may be started elsewhere.
      surroundings.argumentRoom = min(surroundings.argumentRoom, max(Int(clamping: stack / 4), 128 << 10))
    }
    return surroundings
  }
}
