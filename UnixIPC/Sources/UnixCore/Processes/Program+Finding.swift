import Glibc

extension Program {
  /// The path of the program that a command's first word means: the word itself where it has a `/`, else the first
  /// executable file of that name in the search path.  Either is a file that may be executed, as things are now.
  ///
  /// Directories that are not absolute are passed over, the empty one included: what is run must not depend on where
  /// the caller happens to be.
  ///
  /// - Parameter searchPath: directories with `:` between them; nil is "/usr/bin:/bin".
  /// - Throws: `ENOENT` where there is none, `EACCES` where all that there are may not be executed.
  ///
  /// Source: execvp(3).
  public static func find(_ name: String, searchPath: String?) throws(SystemCallError) -> String {
    if name.utf8.contains(UInt8(ascii: "/")) {
      try mustBeExecutable(name)
      return name
    }
    var failure = SystemCallError("execve", on: name, code: .noSuchFileOrDirectory)
    guard !name.isEmpty else { throw failure }
    for directory in (searchPath ?? "/usr/bin:/bin").split(separator: ":") where directory.hasPrefix("/") {
      let path = "\(directory)/\(name)"
      var status = stat()
      guard (try path.withCText("execve") { (path) throws(SystemCallError) in stat(path, &status) }) == 0,
        status.st_mode & S_IFMT == S_IFREG
      else { continue }
      if try path.withCText("execve", { (path) throws(SystemCallError) in access(path, X_OK) }) == 0 { return path }
      failure = SystemCallError("execve", on: path, code: .permissionDenied)
    }
    throw failure
  }

  private static func mustBeExecutable(_ path: String) throws(SystemCallError) {
    var status = stat()
    _ = try check("execve", text: path) { stat($0, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SystemCallError("execve", on: path, code: .permissionDenied) }
    _ = try check("execve", text: path) { access($0, X_OK) }
  }
}
