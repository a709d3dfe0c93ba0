import Glibc

/// The directory from which relative paths lead.
public enum WorkingDirectory {
  /// Its absolute path; nil where that cannot be found out, as in a directory that was removed.
  ///
  /// Source: getcwd(3).
  public static var path: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }
}

extension String {
  /// The absolute form of the path; the path itself if the working directory is unknown.
  public var absolutePath: String {
    guard !hasPrefix("/"), let directory = WorkingDirectory.path else { return self }
    return directory == "/" ? "/\(self)" : "\(directory)/\(self)"
  }
}
