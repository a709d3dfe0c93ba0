import Glibc
import UnixIPC

/// An output that never makes its writer wait: where there is no room, `write` throws `EAGAIN`.
///
/// The open file of standard output is shared with the shell and others, so it cannot be made non-blocking.  A pipe or
/// a terminal is opened a second time instead.
struct PatientOutput: ~Copyable {
  private enum Kind {
    case socket
    case nonBlocking
    /// A regular file or a device that is always ready, or a pipe that could not be opened again: poll(2) promises
    /// room for this many bytes.
    case blocking(atMost: Int)
  }

  private let descriptor: Descriptor
  private let kind: Kind

  init(for stream: StandardStream) throws(CallFailure) { self.init(try stream.duplicate()) }

  init(_ copy: consuming Descriptor) {
    if copy.socketKind != nil {
      kind = .socket
      descriptor = copy
    } else if Self.canBeFull(copy),
      let second = try? Descriptor.open("/proc/self/fd/\(copy.number)", O_WRONLY | O_NONBLOCK)
    {
      kind = .nonBlocking
      descriptor = second
    } else {
      kind = .blocking(atMost: Int(PIPE_BUF))
      descriptor = copy
    }
  }

  var number: CInt { descriptor.number }

  private static func canBeFull(_ descriptor: borrowing Descriptor) -> Bool {
    var status = stat()
    return isatty(descriptor.number) == 1
      || fstat(descriptor.number, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }

  /// Writes some of the bytes and tells how many.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    switch kind {
    case .socket: try descriptor.send(bytes, waiting: false)
    case .nonBlocking: try descriptor.write(bytes)
    case .blocking(let most): try descriptor.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(most)))
    }
  }
}
