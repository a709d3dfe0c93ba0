import Glibc
import UnixIPC

/// Leaves the terminal, perlipc's "complete dissociation": the starter waits and learns whether the daemon came up.
enum Dissociation {
  /// The daemon's end of the wait.
  struct Starter: ~Copyable {
    private let pipe: Descriptor

    fileprivate init(_ pipe: consuming Descriptor) { self.pipe = pipe }

    /// Tells the starter the exit status that it shall have.  Until then messages still reach its terminal.
    consuming func release(status: CInt) {
      let byte = [UInt8(truncatingIfNeeded: status)]
      byte.withUnsafeBytes { _ = try? pipe.write($0) }
    }
  }

  /// Returns in the daemon: its own session, no way to a controlling terminal, in `/`.  In the starter it never returns.
  ///
  /// - Throws: `EBUSY` in a process with more than one thread, which must not be forked.
  static func leave() throws(CallFailure) -> Starter {
    let threads = try? Descriptor.open("/proc/self/task", O_RDONLY | O_DIRECTORY)
    var facts = stat()
    if let threads, fstat(threads.number, &facts) == 0, facts.st_nlink > 3 {
      throw CallFailure("fork", errno: Errno(rawValue: EBUSY))
    }
    let ends = try Pipe.open()
    let child = fork()
    if child == -1 { throw CallFailure("fork", errno: Errno(rawValue: errno)) }
    if child > 0 { endProcess(status: awaitStatus(ends)) }

    let pipe = ends.writing
    if setsid() == -1 { throw CallFailure("setsid", errno: Errno(rawValue: errno)) }
    // No longer a session's leader: opening a terminal cannot make it the controlling one.
    let grandchild = fork()
    if grandchild == -1 { throw CallFailure("fork", errno: Errno(rawValue: errno)) }
    if grandchild > 0 { endProcess(status: 0) }
    if chdir("/") == -1 { throw CallFailure("chdir", on: "/", errno: Errno(rawValue: errno)) }
    return Starter(pipe)
  }

  private static func awaitStatus(_ ends: consuming PipeEnds) -> CInt {
    let reading = ends.reading
    // With our copy of the other end closed, a daemon that dies is the end of the pipe.
    _ = consume ends.writing
    var status = [UInt8](repeating: 1, count: 1)
    let count = status.withUnsafeMutableBytes { (try? reading.read(into: $0)) ?? 0 }
    return count == 1 ? CInt(status[0]) : 1
  }
}
