import CPlatform
import Glibc

/// An open file descriptor with one owner, closed when its owner lets go of it.
///
/// Every descriptor that this library opens is close-on-exec.
public struct Descriptor: ~Copyable, Sendable {
  /// The number, for calls that this library does not wrap.  The descriptor stays this value's own.
  public let number: CInt

  /// Takes over an open descriptor: from now on this value closes it.
  public init(owning number: CInt) { self.number = number }

  deinit { Descriptor.close(number) }

  /// Hands the number over, still open; closing it is now the caller's duty.
  public consuming func release() -> CInt {
    let number = self.number
    discard self
    return number
  }

  /// Lends an open descriptor that stays somebody else's, such as a standard stream.
  public static func withBorrowed<Result, Failure: Error>(
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

  /// Closes now.  Errors of close(2) say nothing that a socket's or pipe's owner can act on, but `EBADF` is a bug of ours.
  private static func close(_ number: CInt) {
    if Glibc.close(number) == -1, ErrorCode.current == ErrorCode.badFileDescriptor {
      preconditionFailure("descriptor \(number) was closed by somebody else")
    }
  }
}

extension Descriptor {
  /// Opens a file, close-on-exec and never as the controlling terminal.
  ///
  /// - Parameter flags: of open(2), such as `O_RDONLY | O_NOFOLLOW`.
  /// - Parameter mode: permissions of a file that is created, before the umask.
  ///
  /// Source: open(2).
  public static func open(_ path: UnixPath, _ flags: CInt, mode: mode_t = 0o600) throws(SystemCallError)
    -> Descriptor
  {
    Descriptor(
      owning: try check("open", path: path) { platform_open($0, flags | O_CLOEXEC | O_NOCTTY, mode) })
  }

  /// Opens a file at a path that is text, close-on-exec and never as the controlling terminal.
  public static func open(_ path: String, _ flags: CInt, mode: mode_t = 0o600) throws(SystemCallError) -> Descriptor {
    try open(UnixPath(path), flags, mode: mode)
  }

  /// A second descriptor for the same open file, with the lowest free number not below `least`.
  ///
  /// Source: fcntl(2), F_DUPFD_CLOEXEC.
  public func duplicate(notBelow least: CInt = 0) throws(SystemCallError) -> Descriptor {
    Descriptor(owning: try check("fcntl") { platform_fcntl(number, F_DUPFD_CLOEXEC, least) })
  }

  /// Source: fcntl(2), O_NONBLOCK.
  public func setNonBlocking(_ nonBlocking: Bool) throws(SystemCallError) {
    let flags = try check("fcntl") { platform_fcntl(number, F_GETFL, 0) }
    let wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
    if wanted != flags { _ = try check("fcntl") { platform_fcntl(number, F_SETFL, wanted) } }
  }

  /// Source: fcntl(2), FD_CLOEXEC.
  public func setCloseOnExec(_ closeOnExec: Bool) throws(SystemCallError) {
    _ = try check("fcntl") { platform_fcntl(number, F_SETFD, closeOnExec ? FD_CLOEXEC : 0) }
  }

  /// Reads what is there, at most the buffer's size; 0 is the end of the file.
  ///
  /// Source: read(2).
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    try check("read", onDescriptor: number) { Glibc.read(number, buffer.baseAddress, buffer.count) }
  }

  /// Writes some of the bytes and tells how many.
  ///
  /// Writing to a dead reader throws `EPIPE` where SIGPIPE is ignored (`Signal.ignore`), else it ends the process.
  ///
  /// Source: write(2).
  public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    try check("write", onDescriptor: number) { Glibc.write(number, bytes.baseAddress, bytes.count) }
  }

  /// Writes all of the bytes, however often write(2) takes only some.
  public func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = try write(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Writes a text whole.
  public func writeAll(_ text: String) throws(SystemCallError) {
    var text = text
    let failure: SystemCallError? = text.withUTF8 { bytes in
      do throws(SystemCallError) {
        try writeAll(UnsafeRawBufferPointer(bytes))
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}

/// Marks descriptors `first` to `last` for closing at exec, or closes them at once.
///
/// Source: close_range(2).
public enum DescriptorRange {
  public static func close(from first: CInt, through last: CInt = .max) throws(SystemCallError) {
    guard first <= last else { return }
    _ = try check("close_range") { platform_close_range(UInt32(first), UInt32(last), 0) }
  }

  /// Closes all from `first` on but these and one more; nothing is allocated.
  ///
  /// - Parameter numbers: in ascending order.
  /// - Parameter other: -1 for none.
  public static func close(
    from first: CInt, keeping numbers: UnsafeBufferPointer<CInt>, and other: CInt = -1
  ) throws(SystemCallError) {
    var first = first
    var isOtherDue = other >= first && other < .max
    // The greatest of all numbers is no descriptor's, and has no next one.
    for number in numbers where number >= first && number < .max {
      if isOtherDue, other < number {
        isOtherDue = false
        try close(from: first, through: other - 1)
        first = other + 1
      }
      try close(from: first, through: number - 1)
      first = number + 1
    }
    if isOtherDue, other >= first {
      try close(from: first, through: other - 1)
      first = other + 1
    }
    try close(from: first)
  }

  /// The same for numbers in any order.
  public static func close(from first: CInt, keeping numbers: [CInt], and other: CInt = -1) throws(SystemCallError) {
    let failure = numbers.sorted().withUnsafeBufferPointer { numbers -> SystemCallError? in
      do throws(SystemCallError) {
        try close(from: first, keeping: numbers, and: other)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
