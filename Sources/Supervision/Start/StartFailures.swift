import Configuration
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The starts that have failed since the last one that succeeded, in a file of the runtime directory, which the service
/// manager keeps while it starts begatd again.
///
/// Damaged contents count as none; a forged count makes begatd wait at most `maxDelay`.
struct StartFailures: Hashable {
  /// How many there were.
  private(set) var count = 0
  /// Stands for the text of the last one; 0 before the first.
  private(set) var text: UInt64 = 0

  /// More are not counted: the delay grows no more.
  private static let maxCount = 1000
  private static let maxFileSize = 64

  init() {}

  init(parsing bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard bytes.count <= Self.maxFileSize, words.count == 2, words[1].last == "\n", let count = Int(decimal: words[0]),
      let text = UInt64(words[1].dropLast(), radix: 16)
    else { return }
    self.count = min(max(0, count), Self.maxCount)
    self.text = text
  }

  var bytes: [UInt8] { Array("\(count) \(String(text, radix: 16))\n".utf8) }

  /// Counts one more.
  ///
  /// - Returns: whether its text is another one than the last.
  mutating func add(_ lines: [String]) -> Bool {
    count = min(count + 1, Self.maxCount)
    let last = text
    // A text that is taken for another one is only not repeated.
    text = lines.joined(separator: "\n").utf8.fnv1a
    return text != last
  }

  /// How long begatd waits after the last failure, before it exits or tries again: a first failure is shown immediately to
  /// the person who has started begatd, and those that follow are no hot loop.
  var delay: Duration {
    count < 2 ? .zero : min(.seconds(1 << min(count - 2, 10)), Self.maxDelay)
  }

  static let maxDelay = Duration.seconds(60)
}

/// The file of the failures.
struct StartFailureFile {
  let path: String

  static var usual: StartFailureFile { StartFailureFile(path: "\(RuntimeDirectory.path)/start-failures") }

  /// None where there is no file, or one that begatd has not written.
  func read() -> StartFailures {
    guard let file = try? Descriptor.open(UnixPath(path), [.readOnly, .noFollow, .nonBlocking]),
      (try? FileKind(of: file)) == .regular, let bytes = try? file.readPrefix(256)
    else { return StartFailures() }
    return StartFailures(parsing: bytes)
  }

  /// - Returns: whether the next start can read it.
  func write(_ failures: StartFailures) -> Bool {
    guard (try? RuntimeDirectory.prepare()) != nil else { return false }
    // No link is followed, and no other process can have the file open.
    unlink(path)
    do throws(SystemCallError) {
      try Descriptor.open(UnixPath(path), [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600).writeAll(
        failures.bytes)
      return true
    } catch { return false }
  }

  func remove() { unlink(path) }
}
