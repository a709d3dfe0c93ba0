@_spi(Begat) import UnixCore

/// A place for lines, which takes them without waiting or not at all.
protocol LineOutput: AnyObject {
  /// How many bytes it takes whole if it takes any of them.
  var atomicSize: Int { get }

  /// Writes whole lines.
  ///
  /// - Returns: false if they, or some of them, could not be written immediately.
  func write(_ lines: UnsafeRawBufferPointer) -> Bool
}

/// Standard error.
final class StandardErrorOutput: LineOutput {
  /// So many bytes a pipe takes whole when it takes anything: `PIPE_BUF`.
  let atomicSize = 4096
  /// Whether the last text was cut: then the next begins on a line of its own.
  private var isCut = false
  /// Whether descriptor 2 leads nowhere by now.
  private var isLeft = false

  /// Takes nothing from now on, so that what is lost is counted.
  func leave() { isLeft = true }

  func write(_ lines: UnsafeRawBufferPointer) -> Bool {
    guard !isLeft else { return false }
    if isCut {
      guard (try? StandardError.tryWrite("\n")) != nil else { return false }
      isCut = false
    }
    let count = (try? StandardError.tryWrite(lines)) ?? 0
    if count > 0, count < lines.count { isCut = true }
    return count == lines.count
  }
}
