import Glibc

/// What has a number for a name in a directory of /proc: processes, threads, descriptors.
///
/// Source: proc(5).
package enum NumberedEntries {
  /// Nil where the directory cannot be read.
  package static func of(_ path: String) -> [CInt]? {
    guard let directory = try? path.withCText("opendir", { (path) throws(SystemCallError) in opendir(path) }) else {
      return nil
    }
    defer { closedir(directory) }
    var numbers: [CInt] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if let number = CInt(name) { numbers.append(number) }
    }
    return numbers
  }
}
