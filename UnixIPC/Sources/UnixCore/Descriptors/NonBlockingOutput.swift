import Glibc

/// An output that never makes its writer wait: where there is no room, `write` throws `EAGAIN`.  A dead reader is `EPIPE`,
/// never a signal.
///
/// The open file of standard output is shared with the shell and others, so it cannot be made non-blocking.  A pipe or
/// a terminal is opened a second time instead.
///
/// Source: open(2), proc_pid_fd(5).
@_spi(Begat) public struct NonBlockingOutput: ~Copyable, Sendable {
  private enum Kind {
    case socket
    case nonBlocking
    /// A pipe or terminal that could not be opened again: poll(2) promises room for this many bytes.
    case blocking(atMost: Int)
    /// A file or a device that is always ready.
    case ready
  }

  /// The descriptor that is written to.
  public let descriptor: Descriptor
  /// The kind of the file; nil where fstat(2) fails.
  public let fileKind: FileKind?
  private let kind: Kind

  /// Takes over an output, which may be blocking.
  public init(_ original: consuming Descriptor) {
    let fileKind = try? FileKind(of: original)
    self.fileKind = fileKind
    let isTerminal = original.isTerminal
    let canBeFull = fileKind == .fifo || isTerminal
    if original.socketKind != nil {
      kind = .socket
      descriptor = original
    } else if canBeFull,
      let second = try? Descriptor.open("/proc/self/fd/\(original.number)", [.writeOnly, .nonBlocking])
    {
      kind = .nonBlocking
      descriptor = second
    } else {
      // Another user's terminal, after su(1) for one.
      kind = canBeFull ? .blocking(atMost: isTerminal ? 1 : Int(PIPE_BUF)) : .ready
      descriptor = original
    }
  }

  /// The number of the descriptor, for poll(2).
  public var number: CInt { descriptor.number }

  /// Writes some of the bytes and returns how many.  To be called when poll(2) reports room.
  ///
  /// - Throws: `EAGAIN` where there is none after all; `EPIPE` for a dead reader.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    switch kind {
    case .socket: try descriptor.send(bytes, waiting: false)
    case .nonBlocking, .ready: try descriptor.write(bytes)
    case .blocking(let most): try descriptor.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(most)))
    }
  }
}
