import Glibc
@_spi(Begat) import UnixCore

/// The few calls on files that reading a configuration needs, failures named.
enum FileSystem {
  /// Source: stat(2).
  static func status(of path: String) throws(SystemCallError) -> stat {
    var status = stat()
    try check(stat(path, &status), "stat", path)
    return status
  }

  /// Source: fstat(2).
  static func status(of descriptor: borrowing Descriptor, at path: String) throws(SystemCallError) -> stat {
    var status = stat()
    try check(fstat(descriptor.number, &status), "fstat", path)
    return status
  }

  /// Makes a directory with exactly this mode, whatever the umask; false when something is there already.
  ///
  /// Source: mkdir(2).
  static func makeDirectory(_ path: String, mode: mode_t) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      try check(mkdir(path, 0o700), "mkdir", path)
    } catch {
      if error.code == .fileExists { return false }
      throw error
    }
    // By a handle: the path may lead elsewhere by now, where others may write to its parent directory.
    let directory = try Descriptor.open(path, [.readOnly, .directory, .noFollow])
    guard try status(of: directory, at: path).st_uid == geteuid() else {
      throw SystemCallError("mkdir", on: path, code: ErrorCode.staleNFSFileHandle)
    }
    try check(fchmod(directory.number, mode), "chmod", path)
    return true
  }

  /// The path with no link in it; nil where there is nothing.
  ///
  /// Source: realpath(3).
  static func realPath(_ path: String) -> String? {
    guard let native = realpath(path, nil) else { return nil }
    defer { free(native) }
    return String(cString: native)
  }

  /// Whether a path is one of these, or below one of them.
  static func isBelow(_ path: String, anyOf others: [String]) -> Bool {
    others.contains { path == $0 || path.hasPrefix($0 == "/" ? $0 : $0 + "/") }
  }

  /// What an open file holds from its present position, at most so many bytes.
  static func content(
    of descriptor: borrowing Descriptor, at path: String, atMost limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 16))
    while content.count < limit {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor.number, $0.baseAddress, $0.count) }
      try check(count < 0 ? -1 : 0, "read", path)
      if count == 0 { break }
      content += buffer.prefix(min(count, limit - content.count))
    }
    return content
  }

  private static func check(_ result: CInt, _ call: String, _ path: String) throws(SystemCallError) {
    if result == -1 { throw SystemCallError(call, on: path, code: ErrorCode(rawValue: errno)) }
  }
}
