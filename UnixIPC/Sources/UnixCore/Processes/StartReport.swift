import Glibc

/// Why a forked process could not begin, on its way to the parent; nothing at all when it could.
enum StartReport {
  /// What fits in one piece into any pipe.
  private static let longest = 512

  static func write(_ failure: SystemCallError, to pipe: borrowing Descriptor) {
    let text = "\(failure.code.rawValue)\0\(failure.call)" + (failure.object.map { "\0" + $0 } ?? "")
    _ = try? pipe.writeAll(String(text.prefix(longest / 4)))
  }

  /// Waits until the child has begun or given up.
  static func read(from pipe: borrowing Descriptor) throws(SystemCallError) -> SystemCallError? {
    do throws(SystemCallError) {
      let bytes = try pipe.readPrefix(longest)
      let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\0", maxSplits: 2)
      guard parts.count > 1, let number = CInt(parts[0]) else { return nil }
      return SystemCallError(
        String(parts[1]), on: parts.count > 2 ? String(parts[2]) : nil, code: ErrorCode(rawValue: number))
    } catch { throw SystemCallError("read", code: error.code) }
  }
}
