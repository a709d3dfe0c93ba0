import CPlatform
import Glibc

/// Bytes from one descriptor to another that never pass through this process's memory.
extension Descriptor {
  /// Moves bytes to or from a pipe; the other one may be a socket, a pipe or a file.
  ///
  /// It never waits for a pipe; a socket must be non-blocking for it to wait for nothing.  Which of the two is not ready
  /// where it throws `EAGAIN` only poll(2) tells.  To a dead reader it throws `EPIPE` where SIGPIPE is ignored.
  ///
  /// - Returns: how many bytes; 0 at the end of what is read.
  /// - Throws: `EINVAL` also where one of them cannot do it, such as a terminal.
  ///
  /// Source: splice(2).
  public func splice(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    try check("splice", onDescriptor: number) { platform_splice(number, sink.number, count) }
  }

  /// Sends bytes of a regular file, from its own offset on, to a socket or a file.
  ///
  /// - Returns: how many bytes; 0 at the end of the file.
  /// - Throws: `EINVAL` also where the file cannot do it, as some of /proc.
  ///
  /// Source: sendfile(2).
  public func sendFile(to sink: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    try check("sendfile", onDescriptor: number) { platform_sendfile(sink.number, number, count) }
  }

  /// Copies bytes of a regular file to another one, each from its own offset on; some file systems share them instead.
  ///
  /// - Returns: how many bytes; 0 at the end of the file, and for files of /proc, which must be read.
  /// - Throws: `EINVAL`, `EXDEV`, `EOPNOTSUPP` and `EBADF` also where these two files cannot do it.
  ///
  /// Source: copy_file_range(2).
  public func copyRange(to file: borrowing Descriptor, atMost count: Int) throws(SystemCallError) -> Int {
    try check("copy_file_range", onDescriptor: number) { platform_copy_file_range(number, file.number, count) }
  }

  /// How many bytes a pipe holds.
  ///
  /// - Parameter count: wanted; the kernel takes the next power of two.
  /// - Throws: `EPERM` above /proc/sys/fs/pipe-max-size, `EBUSY` where more than that is in it.
  ///
  /// Source: fcntl(2), F_SETPIPE_SZ.
  public func setPipeCapacity(_ count: Int) throws(SystemCallError) {
    _ = try check("fcntl") { platform_set_pipe_size(number, CInt(clamping: count)) }
  }
}
