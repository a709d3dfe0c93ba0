import CPlatform
import Glibc

/// Bytes from one descriptor to another that never pass through this process's memory.  A sink without a reader is the
/// error `EPIPE`, never a signal.  A count above what the kernel moves in one call is cut to that.
extension Descriptor {
  /// Moves bytes to or from a pipe; the other one may be a socket, a pipe or a file.
  ///
  /// It never waits for a pipe; a socket must be non-blocking for it to wait for nothing.  Where it throws `EAGAIN`, only
  /// poll(2) can tell which of the two is not ready.
  ///
  /// - Returns: the number of bytes; 0 at the end of what is read.
  /// - Throws: `EPIPE` for a dead reader; `EINVAL` for a negative count, and where one of them cannot do it, such as a
  ///   terminal.
  ///
  /// Source: splice(2).
  public func splice(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    let count = try transferable(count, "splice")
    return try check("splice", onDescriptor: number) { platform_splice_without_signal(number, sink.number, count) }
  }

  /// The same with splice(2) alone: where SIGPIPE is not ignored, a dead reader ends the process.
  @_spi(Begat) public func spliceRaw(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    try check("splice", onDescriptor: number) { platform_splice(number, sink.number, count) }
  }

  /// Sends bytes of a regular file, from its own offset on, to a socket, a pipe or a file.
  ///
  /// - Returns: the number of bytes; 0 at the end of the file.
  /// - Throws: `EPIPE` for a dead reader; `EINVAL` for a negative count, and where the file cannot do it, as some of /proc.
  ///
  /// Source: sendfile(2).
  public func sendFile(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    let count = try transferable(count, "sendfile")
    return try check("sendfile", onDescriptor: number) { platform_sendfile_without_signal(sink.number, number, count) }
  }

  /// The same with sendfile(2) alone: where SIGPIPE is not ignored, a dead reader ends the process.
  @_spi(Begat) public func sendFileRaw(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int
  {
    try check("sendfile", onDescriptor: number) { platform_sendfile(sink.number, number, count) }
  }

  /// Copies bytes of a regular file to another one, each from its own offset on; some file systems share them instead.
  ///
  /// - Returns: the number of bytes; 0 at the end of the file, and for files of /proc, which must be read.
  /// - Throws: `EINVAL` for a negative count; `EINVAL`, `EXDEV`, `EOPNOTSUPP` and `EBADF` also where these two files cannot
  ///   do it.
  ///
  /// Source: copy_file_range(2).
  public func copyRange(to file: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    let count = try transferable(count, "copy_file_range")
    return try check("copy_file_range", onDescriptor: number) {
      platform_copy_file_range(number, file.number, count)
    }
  }

  /// The most that the kernel moves in one call (`MAX_RW_COUNT`); it refuses offsets that a greater count would reach.
  private static let maximumTransfer = 0x7fff_f000

  private func transferable(_ count: Int, _ call: String) throws(SystemCallError) -> Int {
    // As an unsigned number it would mean everything.
    guard count >= 0 else { throw failure(call, .invalidArgument) }
    return min(count, Descriptor.maximumTransfer)
  }

  /// Sets how many bytes a pipe holds.
  ///
  /// - Parameter count: the least number; the kernel takes the next power of two.
  /// - Throws: `EPERM` above /proc/sys/fs/pipe-max-size, `EBUSY` where more than that is in it.
  ///
  /// Source: fcntl(2), F_SETPIPE_SZ.
  public func setPipeCapacity(_ count: Int) throws(SystemCallError) {
    _ = try check("fcntl", onDescriptor: number) { platform_set_pipe_size(number, CInt(clamping: count)) }
  }
}
