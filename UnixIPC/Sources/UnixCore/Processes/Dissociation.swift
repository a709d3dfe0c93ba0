import CPlatform
import Glibc

/// Leaves the terminal and the starter for good: perlipc's "complete dissociation of child from parent".
///
/// The starter waits until the daemon says how it went, and ends with that status: a script that starts a daemon knows
/// whether it came up.  A daemon under a service manager needs none of this.
///
/// Source: daemon(7), fork(2), setsid(2).
public enum Dissociation {
  /// The daemon's end of the wait; letting go of it tells the starter that the daemon failed.
  public struct Starter: ~Copyable, Sendable {
    private let pipe: Descriptor

    fileprivate init(_ pipe: consuming Descriptor) { self.pipe = pipe }

    /// Tells the starter the exit status that it shall have.  Until then messages still reach its terminal.
    ///
    /// With status 0 the standard streams become /dev/null before, so that nobody waits for their end, and so that no
    /// file opened later is taken for one of them.
    ///
    /// - Parameter keepsErrors: whether standard error stays what it is, such as a file for messages.
    public consuming func release(status: CInt, keepingErrors keepsErrors: Bool = false) {
      if status == 0 { StandardStreams.redirectToNull(keepingErrors: keepsErrors) }
      let byte = [UInt8(truncatingIfNeeded: status)]
      byte.withUnsafeBytes { _ = try? pipe.write($0) }
    }
  }

  /// Returns in the daemon: in a session of its own, not as its leader, so that no terminal it opens becomes its
  /// controlling one; in `/`, so that no file system is kept from being unmounted.  In the starter it never returns.
  ///
  /// - Parameter keptDescriptors: stay open besides 0, 1 and 2; nil keeps all.  None that is closed may have an owner
  ///   still.  What the starter forgot is best closed when the program begins (`DescriptorRange.close`).
  /// - Parameter fileModeMask: permissions that files it makes do not get.
  /// - Throws: `EDEADLK` in a process with threads, which must not be forked.
  public static func leave(keeping keptDescriptors: [CInt]? = nil, fileModeMask: mode_t = 0o022) throws(SystemCallError)
    -> Starter
  {
    try Threads.mustBeAlone()
    fflush(nil)
    let ends = try PipeEnds()
    let child = try check("fork") { fork() }
    if child > 0 { endProcess(status: awaitStatus(ends)) }

    platform_forget_deadline()
    // Where no standard stream goes, whatever was closed.
    let pipe = try ends.writeEnd.duplicate(notBelow: 3)
    _ = consume ends
    _ = try check("setsid") { setsid() }
    if try check("fork", { fork() }) > 0 { endProcess(status: 0) }
    _ = try check("chdir", on: "/") { chdir("/") }
    umask(fileModeMask)
    if let keptDescriptors { try DescriptorRange.close(from: 3, keeping: keptDescriptors, and: pipe.number) }
    return Starter(pipe)
  }

  private static func awaitStatus(_ ends: consuming PipeEnds) -> CInt {
    let reading = ends.readEnd
    // With our copy of the other end closed, a daemon that dies is the end of the pipe.
    _ = consume ends.writeEnd
    let status = (try? reading.readPrefix(1)) ?? []
    return status.first.map { CInt($0) } ?? 1
  }
}
