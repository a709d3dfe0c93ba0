import Glibc

extension ProcessControl {
  /// Makes the calling process another program, with its number, its parent, its terminal and its descriptors that are not
  /// close-on-exec; returns only when it cannot.
  ///
  /// Ignored and blocked signals stay so, as the caller was given them: whoever changed some puts them back before.
  ///
  /// - Parameters:
  ///   - arguments: what it gets as `argv`, its own name first.
  ///   - environment: `NAME=value` each; nothing is inherited.
  ///
  /// Source: execve(2).
  public static func becomeProgram(at path: String, arguments: [String], environment: [String]) throws(CallFailure)
    -> Never
  {
    let words = arguments.map { strdup($0) }
    let variables = environment.map { strdup($0) }
    defer { for string in words + variables { free(string) } }
    _ = try check("execve", on: path) { execve(path, words + [nil], variables + [nil]) }
    preconditionFailure("execve returned")
  }
}

extension Program {
  /// The path of the program that a command's first word means: the word itself where it has a `/`, else the first
  /// executable file of that name in the search path.
  ///
  /// Directories that are not absolute are passed over, the empty one included: what is run must not depend on where
  /// the caller happens to be.
  ///
  /// - Parameter searchPath: directories with `:` between them; nil is "/usr/bin:/bin".
  /// - Throws: `ENOENT` where there is none, `EACCES` where all that there are may not be executed.
  ///
  /// Source: execvp(3).
  public static func find(_ name: String, searchPath: String?) throws(CallFailure) -> String {
    if name.utf8.contains(UInt8(ascii: "/")) { return name }
    var failure = CallFailure("execve", on: name, errno: .noSuchFile)
    guard !name.isEmpty else { throw failure }
    for directory in (searchPath ?? "/usr/bin:/bin").split(separator: ":") where directory.hasPrefix("/") {
      let path = "\(directory)/\(name)"
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      if access(path, X_OK) == 0 { return path }
      failure = CallFailure("execve", on: path, errno: .permissionDenied)
    }
    throw failure
  }
}
