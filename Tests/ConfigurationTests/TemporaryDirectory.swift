import Foundation
import Glibc
import Testing

/// A directory of one test, removed with everything in it when the test lets go of it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/begat-configuration-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in the directory.
  subscript(_ name: String) -> String { "\(path)/\(name)" }

  func makeDirectory(_ name: String, mode: mode_t = 0o755) throws {
    try #require(mkdir(self[name], 0o700) == 0)
    try #require(chmod(self[name], mode) == 0)
  }

  func write(_ text: String, to name: String, mode: mode_t = 0o644) throws {
    let bytes = Array(text.utf8)
    let descriptor = open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(descriptor != -1)
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    try #require(fchmod(descriptor, mode) == 0)
  }
}
