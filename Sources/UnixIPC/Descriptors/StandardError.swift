import CPlatform
import Glibc

/// The standard error stream, for those who must not wait for its reader.
public enum StandardError {
  /// Writes a short text if it can be written at once.
  ///
  /// - Throws: `EAGAIN` while a pipe's reader has stopped reading.
  ///
  /// Source: poll(2), write(2).
  public static func writeAtOnce(_ text: String) throws(Errno) {
    var query = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    guard poll(&query, 1, 0) > 0, query.revents & Int16(POLLOUT) != 0 else { throw .wouldBlock }
    try Descriptor.withLent(STDERR_FILENO) { (stream) throws(Errno) in try stream.writeAll(text) }
  }

  /// Makes descriptor 2 another name of an open one, in a process that was just forked.
  ///
  /// Source: dup2(2).
  public static func become(_ number: CInt) { _ = platform_replace(STDERR_FILENO, number) }
}
