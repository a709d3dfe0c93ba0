import Glibc

extension Program {
  /// Where Debian's own programs are, for those who trust no variable.
  public static let usualDirectories = "/usr/local/bin:/usr/bin:/bin"

  /// The path of a program by the name that a person typed.
  ///
  /// A name with a slash is a path already.  Others are looked for in the directories, of which those that are no absolute
  /// path are passed over: an empty one or `.` would mean whatever directory one happens to be in.
  ///
  /// - Parameter directories: separated by colons, as in `PATH`.
  /// - Throws: `ENOENT` when there is none; `EACCES` when what there is may not be executed.
  ///
  /// Source: execvp(3).
  public static func find(_ name: String, in directories: String = usualDirectories) throws(CallFailure) -> String {
    guard !name.utf8.contains(UInt8(ascii: "/")) else { return name }
    var reason = Errno.noSuchFile
    for directory in directories.split(separator: ":") where directory.hasPrefix("/") && !name.isEmpty {
      let path = "\(directory)/\(name)"
      guard (try? FileKind(at: path, followingLinks: true)) == .regular else { continue }
      if access(path, X_OK) == 0 { return path }
      reason = .permissionDenied
    }
    throw CallFailure("execve", on: escaped(name.utf8), errno: reason)
  }
}
