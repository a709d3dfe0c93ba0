import CPlatform
import Glibc

/// Writing that never waits, whatever the descriptor's flags: every process that has the same open file shares them, so
/// they cannot be changed for one writer.
extension Descriptor {
  /// Writes as many of the bytes as can be written without waiting, and returns how many.
  ///
  /// A pipe takes up to `PIPE_BUF` bytes whole or not at all.  A regular file takes all of them.
  ///
  /// - Throws: `EAGAIN` if none can be written, `EPIPE` if the reader is gone, never a signal.
  ///
  /// Source: write(2), pipe(7), proc_pid_fd(5), splice(2).
  public func tryWrite(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    guard !bytes.isEmpty else { return 0 }
    var status = stat()
    guard platform_fstat(number, &status) == 0 else { throw failure("fstat", .current) }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: return try send(bytes, waiting: false)
    case S_IFIFO: return try writeToPipeAtOnce(bytes)
    case S_IFCHR where isTerminal: return try writeToTerminalAtOnce(bytes)
    default: return try writeFully(bytes)
    }
  }

  /// The same open file, opened a second time with flags of its own; nil for another user's, or without /proc.
  private func reopened() -> Descriptor? {
    try? Descriptor.open("/proc/self/fd/\(number)", [.writeOnly, .nonBlocking])
  }

  private func writeToPipeAtOnce(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    switch reopened() {
    case .some(let second): return try second.writeFully(bytes)
    case nil: return try moveThroughPipe(bytes)
    }
  }

  /// A pipe that cannot be opened again takes what another pipe holds: splice(2) has a flag of its own against waiting.
  private func moveThroughPipe(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    let ends = try PipeEnds()
    try ends.writeEnd.setNonBlocking(true)
    return try moveThrough(ends, bytes)
  }

  private func moveThrough(_ ends: borrowing PipeEnds, _ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    var moved = 0
    do throws(SystemCallError) {
      let count = try ends.writeEnd.write(bytes)
      while moved < count { moved += try ends.readEnd.splice(to: self, atMost: count - moved) }
    } catch { if moved == 0 { throw error } }
    return moved
  }

  private func writeToTerminalAtOnce(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
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
    if written == 0 { throw failure("write", .wouldBlock) }
    return written
  }

  /// Writes until all is written or there is no room after the first bytes.
  private func writeFully(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    var written = 0
    while written < bytes.count {
      do throws(SystemCallError) { written += try write(UnsafeRawBufferPointer(rebasing: bytes[written...])) } catch {
        if written == 0 { throw error }
        break
      }
    }
    return written
  }
}
