import CPlatform
import Glibc

/// Writing to any file.  A reader or peer that is gone is the error `EPIPE`, never a signal, whatever SIGPIPE would do:
/// a library must not decide that for its program.
extension Descriptor {
  /// Writes some of the bytes and returns how many.
  ///
  /// On a pipe this costs five short system calls more than write(2) alone; on a socket, none.
  ///
  /// - Throws: `EPIPE` for a pipe or a socket without a reader.
  ///
  /// Source: write(2), send(2), MSG_NOSIGNAL.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    try check("write", onDescriptor: number) { platform_write_without_signal(number, bytes.baseAddress, bytes.count) }
  }

  /// Writes some of the bytes and returns how many.
  ///
  /// - Throws: `EPIPE` for a pipe or a socket without a reader.
  ///
  /// Source: write(2).
  public func write(_ bytes: RawSpan) throws(SystemCallError) -> Int {
    try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in try write(bytes) }
  }

  /// Writes some of the bytes with write(2) alone: where SIGPIPE is not ignored, a dead reader ends the process.
  @_spi(Begat) public func writeRaw(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    try check("write", onDescriptor: number) { Glibc.write(number, bytes.baseAddress, bytes.count) }
  }

  /// Writes all of the bytes, however often write(2) takes only some.
  ///
  /// - Throws: `EPIPE` for a pipe or a socket without a reader; `EAGAIN` for a non-blocking file without room.  Some of
  ///   the bytes may have been written then.
  ///
  /// Source: write(2).
  public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    var rest = bytes
    while !rest.isEmpty { rest = UnsafeRawBufferPointer(rebasing: rest[try write(rest)...]) }
  }

  /// Writes all of the bytes, as ``writeAll(_:)-(UnsafeRawBufferPointer)`` does.
  public func writeAll(_ bytes: RawSpan) throws(SystemCallError) {
    try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in try writeAll(bytes) }
  }

  /// Writes all of the bytes, as ``writeAll(_:)-(UnsafeRawBufferPointer)`` does.
  public func writeAll(_ bytes: [UInt8]) throws(SystemCallError) { try writeAll(bytes.span.bytes) }

  /// Writes a whole text as UTF-8, as ``writeAll(_:)-(UnsafeRawBufferPointer)`` does.
  public func writeAll(_ text: String) throws(SystemCallError) { try writeAll(text.utf8Span.span.bytes) }
}
