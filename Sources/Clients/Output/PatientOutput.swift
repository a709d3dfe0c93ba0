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
    /// A pipe or terminal that could not be opened again: poll(2) promises room for this many bytes.
    case blocking(atMost: Int)
    /// A file or a device that is always ready.
    case ready
  }

  let descriptor: Descriptor
  /// nil where fstat(2) fails.
  let fileKind: FileKind?
  private let kind: Kind

  init(for stream: StandardStream) throws(CallFailure) { self.init(try stream.duplicate()) }

  init(_ original: consuming Descriptor) {
    let fileKind = try? FileKind(of: original)
    self.fileKind = fileKind
    let canBeFull = fileKind == .fifo || isatty(original.number) == 1
    if original.socketKind != nil {
      kind = .socket
      descriptor = original
    } else if canBeFull, let second = try? Descriptor.open("/proc/self/fd/\(original.number)", O_WRONLY | O_NONBLOCK) {
      kind = .nonBlocking
      descriptor = second
    } else {
      kind = canBeFull ? .blocking(atMost: Int(PIPE_BUF)) : .ready
      descriptor = original
    }
  }

  var number: CInt { descriptor.number }

  /// Writes some of the bytes and tells how many.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    switch kind {
    case .socket: try descriptor.send(bytes, waiting: false)
    case .nonBlocking, .ready: try descriptor.write(bytes)
    case .blocking(let most): try descriptor.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(most)))
    }
  }
}
