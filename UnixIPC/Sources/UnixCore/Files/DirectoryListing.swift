import Glibc

/// The names of the files in a directory.
@_spi(Begat) public enum DirectoryListing {
  /// Reads the names, in the order of the file system, without `.` and `..`.
  ///
  /// Bytes that are not UTF-8 come out as U+FFFD.
  ///
  /// - Parameter limit: how many names are read at most, of a directory that another user may fill.
  ///
  /// Source: opendir(3), readdir(3).
  public static func names(in path: String, atMost limit: Int = .max) throws(SystemCallError) -> [String] {
    let directory = try path.withCText("opendir") { (text) throws(SystemCallError) in
      // Read before the text is freed, which may set another.
      guard let opened = opendir(text) else { throw SystemCallError("opendir", on: path, code: .current) }
      return opened
    }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < limit {
      // The end of the directory leaves it as it is.
      errno = 0
      guard let entry = readdir(directory) else {
        let code = ErrorCode.current
        guard code.rawValue == 0 else { throw SystemCallError("readdir", on: path, code: code) }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
