import Foundation
import Glibc

/// A fresh directory of one test, removed with all that is in it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var name = Array("/tmp/begat-e2e-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw HarnessFailure("mkdtemp: errno \(errno)") }
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Listeners that root starts read it as other users.
    chmod(path, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
    let file = path(name)
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    chmod(file, mode)
    return file
  }

  func make(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: false)
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

  func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }
}
