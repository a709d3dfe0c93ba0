import Glibc
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

  static var actual: Surroundings { Surroundings(identity: .effective, runtimeDirectory: RuntimeDirectory.path) }
}
