import CPlatform
import Glibc

/// An open file descriptor with one owner, closed when its owner lets go of it.
///
/// Every descriptor that this library opens is close-on-exec.
public struct Descriptor: ~Copyable, Sendable {
  /// The number, for calls that this library does not wrap.  The descriptor stays this value's own.
  public let number: CInt

  /// Takes over an open descriptor: from now on this value closes it.
  ///
  /// Two owners of one number are a bug that corrupts files: the second one would close whatever was opened under the
  /// number in between.  The process therefore ends, in release builds too, when an owner finds its number closed.  A
  /// number that comes from outside, such as a program's argument, goes to ``init(adopting:)``, which checks it.
  ///
  /// - Precondition: `number` is open, and nothing else in this process will close it.
  public init(owning number: CInt) {
    precondition(number >= 0, "\(number) is no descriptor")
    self.number = number
  }

  /// Takes over a descriptor whose number comes from outside, and makes it close-on-exec.
  ///
  /// - Parameter number: must be owned by nothing else in this process, which no call can check.
  /// - Throws: `EBADF` for a number that is not open.
  ///
  /// Source: fcntl(2), F_GETFD.
  public init(adopting number: CInt) throws(SystemCallError) {
    let flags = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_GETFD, 0) }
    if flags & FD_CLOEXEC == 0 {
      _ = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_SETFD, flags | FD_CLOEXEC) }
    }
    self.number = number
  }

  deinit { _ = Descriptor.close(number) }

  /// Hands the number over, still open; closing it is now the caller's duty.
  public consuming func release() -> CInt {
    let number = self.number
    discard self
    return number
  }

  /// Closes the descriptor and reports what letting go of it would hide: that data which was written is lost.
  ///
  /// A file of a network file system, or of a user with a disk quota, may report only now that a write has failed.
  /// The descriptor is closed whether or not this throws.
  ///
  /// - Throws: `EIO`, `ENOSPC` or `EDQUOT` when data is lost; `EINTR` when a signal came before that was known.
  ///
  /// Source: close(2).
  public consuming func close() throws(SystemCallError) {
    let number = release()
    if let code = Descriptor.close(number) { throw SystemCallError("close", onDescriptor: number, code: code) }
  }

  /// Lends an open descriptor that stays its owner's, such as a standard stream.
  public static func withBorrowed<Result: ~Copyable, Failure: Error>(
    _ number: CInt, _ body: (borrowing Descriptor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let descriptor = Descriptor(owning: number)
    do throws(Failure) {
      let result = try body(descriptor)
      _ = descriptor.release()
      return result
    } catch {
      _ = descriptor.release()
      throw error
    }
  }

  /// Closes the number, once: after an error the kernel has closed it too.  Only `EBADF` is a bug of ours.
  private static func close(_ number: CInt) -> ErrorCode? {
    guard Glibc.close(number) == -1 else { return nil }
    let code = ErrorCode.current
    precondition(code != .badFileDescriptor, "descriptor \(number) was closed behind its owner's back")
    return code
  }
}

extension Descriptor {
  /// A second descriptor for the same open file, with the lowest free number not below `minimum`.
  ///
  /// Source: fcntl(2), F_DUPFD_CLOEXEC.
  public func duplicate(notBelow minimum: CInt = 0) throws(SystemCallError) -> Descriptor {
    Descriptor(
      owning: try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_DUPFD_CLOEXEC, minimum) })
  }

  /// Sets whether reading and writing fail with `EAGAIN` where they would wait.
  ///
  /// The flag belongs to the open file: duplicates, and other processes that have it, share it.
  ///
  /// Source: fcntl(2), O_NONBLOCK.
  public func setNonBlocking(_ nonBlocking: Bool) throws(SystemCallError) {
    let flags = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_GETFL, 0) }
    let wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
    if wanted != flags {
      _ = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_SETFL, wanted) }
    }
  }

  /// Sets whether a program that this process becomes or starts is without the descriptor.
  ///
  /// Source: fcntl(2), FD_CLOEXEC.
  public func setCloseOnExec(_ closeOnExec: Bool) throws(SystemCallError) {
    _ = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_SETFD, closeOnExec ? FD_CLOEXEC : 0) }
  }

  /// Whether this is a terminal.
  ///
  /// Source: isatty(3).
  public var isTerminal: Bool { isatty(number) == 1 }
}
