import Glibc

/// The names of the files in a directory.
public enum DirectoryListing {
  /// Reads the names, in the order of the file system, without `.` and `..`.
  ///
  /// Bytes that are not UTF-8 come out as U+FFFD.
  ///
  /// Source: opendir(3), readdir(3).
  public static func names(in path: String) throws(CallFailure) -> [String] {
    guard let directory = opendir(path) else { throw CallFailure("opendir", on: path, errno: .current) }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
      // The end of the directory leaves it as it is.
      errno = 0
      guard let entry = readdir(directory) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw CallFailure("readdir", on: path, errno: .current) }
    return names
  }
}
