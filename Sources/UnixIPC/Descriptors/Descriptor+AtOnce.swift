import CPlatform
import Glibc

/// Writing that never waits, whatever the descriptor's flags: these are shared with all who have the same open file, so
/// they cannot be changed for one writer.
extension Descriptor {
  /// Writes as many of the bytes as can be written without waiting, and returns how many.
  ///
  /// A pipe takes up to `PIPE_BUF` bytes whole or not at all.  A regular file takes all of them.
  ///
  /// - Throws: `EAGAIN` if none can be written, `EPIPE` if the reader is gone (where SIGPIPE is ignored).
  ///
  /// Source: write(2), pipe(7), proc_pid_fd(5), splice(2).
  public func writeAtOnce(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    guard !bytes.isEmpty else { return 0 }
    var facts = stat()
    guard fstat(number, &facts) == 0 else { throw .current }
    switch facts.st_mode & S_IFMT {
    case S_IFSOCK: return try send(bytes, waiting: false)
    case S_IFIFO: return try writeToPipeAtOnce(bytes)
    case S_IFCHR where isTerminal: return try writeToTerminalAtOnce(bytes)
    default: return try writeFully(bytes)
    }
  }

  /// The same open file, opened a second time with flags of its own; nil for another user's, or without /proc.
  private func reopened() -> Descriptor? {
    try? Descriptor.open("/proc/self/fd/\(number)", O_WRONLY | O_NONBLOCK)
  }

  private func writeToPipeAtOnce(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    switch reopened() {
    case .some(let second): return try second.writeFully(bytes)
    case nil: return try moveThroughPipe(bytes)
    }
  }

  /// A pipe that cannot be opened again takes what another pipe holds: splice(2) has a flag of its own against waiting.
  private func moveThroughPipe(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    do throws(CallFailure) {
      let ends = try Pipe.open()
      try ends.writing.setNonBlocking(true)
      return try moveThrough(ends, bytes)
    } catch { throw error.errno }
  }

  private func moveThrough(_ ends: borrowing PipeEnds, _ bytes: UnsafeRawBufferPointer) throws(CallFailure) -> Int {
    var moved = 0
    do throws(Errno) {
      let count = try ends.writing.write(bytes)
      while moved < count { moved += try ends.reading.splice(to: self, atMost: count - moved) }
    } catch { if moved == 0 { throw CallFailure("splice", errno: error) } }
    return moved
  }

  private func writeToTerminalAtOnce(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    switch reopened() {
    case .some(let second): return try second.writeFully(bytes)
    case nil: break
    }
    // Another user's, after su(1): it is asked before each byte, as more might wait for a stopped terminal.
    var written = 0
    while written < bytes.count {
      guard PollSet.readiness(of: number, for: .writable).contains(.writable) else { break }
      written += try write(UnsafeRawBufferPointer(rebasing: bytes[written..<written + 1]))
    }
    if written == 0 { throw .wouldBlock }
    return written
  }

  /// Until all is written or something is in the way after the first bytes.
  private func writeFully(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    var written = 0
    while written < bytes.count {
      do throws(Errno) { written += try write(UnsafeRawBufferPointer(rebasing: bytes[written...])) } catch {
        if written == 0 { throw error }
        break
      }
    }
    return written
  }
}
