import Glibc

extension Program {
  /// The path of the program that a command's first word means: the word itself if it contains a `/`, else the first
  /// executable file of that name in the search path.  Either is a file that may be executed at present.
  ///
  /// Directories that are not absolute are skipped, the empty one included: the program that runs must not depend on the
  /// working directory.
  ///
  /// - Parameter name: a name without `/`, or a path.
  /// - Parameter searchPath: directories with `:` between them; nil is "/usr/bin:/bin".
  /// - Throws: `ENOENT` if there is none, `EACCES` if all that there are may not be executed, `EINVAL` for a NUL.
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
      do throws(SystemCallError) {
        try mustBeExecutable(path)
        return path
      } catch {
        switch error.code {
        // One that may not be executed is the better explanation.
        case .permissionDenied: failure = error
        case .invalidArgument: throw error
        default: break
        }
      }
    }
    throw failure
  }

  private static func mustBeExecutable(_ text: String) throws(SystemCallError) {
    let path = UnixPath(text)
    var status = stat()
    _ = try check("execve", path: path) { stat($0, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SystemCallError("execve", on: text, code: .permissionDenied) }
    _ = try check("execve", path: path) { access($0, X_OK) }
  }
}
