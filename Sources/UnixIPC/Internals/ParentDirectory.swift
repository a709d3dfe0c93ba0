import Glibc

/// The directory in which a path's last name stands.
enum ParentDirectory {
  static func path(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// Whether anybody may replace files in it.
  static func isUnsafe(_ directory: borrowing Descriptor) throws(CallFailure) -> Bool {
    var facts = stat()
    _ = try check("fstat") { fstat(directory.number, &facts) }
    return facts.st_mode & S_IWOTH != 0 && facts.st_mode & S_ISVTX == 0
  }
}
