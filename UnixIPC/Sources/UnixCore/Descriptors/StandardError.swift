import CPlatform
import Glibc

/// The standard error stream, for a process that must not wait for its reader.  A dead reader is `EPIPE`, never a signal.
@_spi(Begat) public enum StandardError {
  /// Writes a text if it can be written immediately, whatever its length; never waits.
  ///
  /// A text of more than `PIPE_BUF` bytes may be cut, when the reader is slow.
  ///
  /// - Throws: `EAGAIN` while a pipe's reader has stopped reading, or a terminal is stopped, also after a part.
  ///
  /// Source: write(2), pipe(7).
  public static func tryWrite(_ text: String) throws(SystemCallError) {
    let span = text.utf8Span.span.bytes
    let count = try span.withUnsafeBytes { (bytes) throws(SystemCallError) in try tryWrite(bytes) }
    if count < span.byteCount { throw SystemCallError("write", onDescriptor: STDERR_FILENO, code: .wouldBlock) }
  }

  /// Writes as many bytes as can be written immediately, and returns how many.
  ///
  /// - Throws: `EAGAIN` if none can.
  public static func tryWrite(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    try Descriptor.withBorrowed(STDERR_FILENO) { (stream) throws(SystemCallError) in try stream.tryWrite(bytes) }
  }

  /// Makes descriptor 2 another name of an open one, in a process that was just forked.
  ///
  /// Source: dup2(2).
  public static func redirect(to number: CInt) { _ = platform_replace(STDERR_FILENO, number) }

  /// Makes another descriptor, which programs get as standard error later, another name of an open one.
  public static func rename(_ number: CInt, to other: CInt) { _ = platform_replace(other, number) }
}
