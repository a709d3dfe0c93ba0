import Glibc
@_spi(Begat) import UnixCore

/// A directory of one test, removed with everything in it when the test lets go of it.
package final class TemporaryDirectory {
  package let path: String

  package init(mode: mode_t = 0o755) throws {
    var template = Array("/tmp/begat-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw SystemCallError("mkdtemp", on: "/tmp", code: ErrorCode(rawValue: errno))
    }
    path = String(cString: made)
    guard chmod(path, mode) == 0 else { throw SystemCallError("chmod", on: path, code: ErrorCode(rawValue: errno)) }
  }

  deinit { Self.remove(path) }

  /// The path of a name in the directory.
  package subscript(_ name: String) -> String { "\(path)/\(name)" }

  /// The same where only a path will do.
  @_disfavoredOverload
  package subscript(_ name: UnixPath) -> UnixPath { "\(path)/\(name)" }

  package func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    let file = try Descriptor.open(self[name], [.writeOnly, .create, .truncate])
    try Array(bytes).withUnsafeBytes { try file.writeAll($0) }
  }

  package func makeDirectory(_ name: String, mode: mode_t = 0o755) throws {
    guard mkdir(self[name], 0o700) == 0, chmod(self[name], mode) == 0 else {
      throw SystemCallError("mkdir", on: self[name], code: ErrorCode(rawValue: errno))
    }
  }

  /// What is there, links not followed; nil when nothing is.
  package func facts(_ name: String) -> stat? {
    var facts = stat()
    return lstat(self[name], &facts) == 0 ? facts : nil
  }

  /// The names in the directory.
  package func names() -> Set<UnixPath> {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: Set<UnixPath> = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { UnixPath(bytes: $0.prefix { $0 != 0 }) }
      if name != ".", name != ".." { names.insert(name) }
    }
    return names
  }

  /// Names are bytes: a test may have made some that are no text.
  private static func remove(_ path: UnsafePointer<CChar>) {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } }
        let inner =
          Array(UnsafeBufferPointer(start: path, count: strlen(path))) + [CChar(UInt8(ascii: "/"))] + name + [0]
        // A link to a directory is removed, never followed.
        if name != [46], name != [46, 46], unlink(inner) == -1 { remove(inner) }
      }
      closedir(directory)
    }
    rmdir(path)
  }
}
