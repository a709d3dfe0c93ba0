import CPlatform
import Glibc

/// Turns the calling process into a daemon: perlipc's "complete dissociation of child from parent".
///
/// The starter waits until the daemon reports how it started, and exits with that status: a script that starts a daemon
/// learns whether it came up.  A daemon under a service manager needs none of this.
///
///     let starter = try Daemon.detach()
///     let server = try Server()          // its errors still reach the terminal
///     starter.release(status: 0)         // the starter exits with 0; standard streams become /dev/null
///
/// Source: daemon(7), fork(2), setsid(2).
public enum Daemon {
  /// The daemon's end of the starter's wait; letting go of it reports to the starter that the daemon failed.
  public struct Starter: ~Copyable, Sendable {
    private let pipe: Descriptor

    fileprivate init(_ pipe: consuming Descriptor) { self.pipe = pipe }

    /// Reports the exit status that the starter shall have.  Until then, messages still reach its terminal.
    ///
    /// With status 0 the standard streams become /dev/null before: nothing waits for their end, and no file opened later
    /// is taken for one of them.
    ///
    /// - Parameter status: 0 to 255.
    /// - Parameter keepsErrors: whether standard error stays what it is, such as a file for messages.
    public consuming func release(status: CInt, keepingErrors keepsErrors: Bool = false) {
      if status == 0 { StandardStreams.redirectToNull(keepingErrors: keepsErrors) }
      let byte = [UInt8(truncatingIfNeeded: status)]
      byte.withUnsafeBytes { _ = try? pipe.write($0) }
    }
  }

  /// Returns in the daemon, which is in a session of its own without leading it, so that no terminal that it opens becomes
  /// its controlling one, and in `/`, so that it keeps no file system from being unmounted.  In the starter the call never
  /// returns.
  ///
  /// Descriptors stay open; what the starter inherited by accident is best closed when the program begins
  /// (`DescriptorRange.close`).
  ///
  /// - Parameter umask: permissions that files it creates do not get.  Only the nine permission bits count.
  /// - Throws: `EDEADLK` in a process with threads, which must not be forked.
  public static func detach(umask: mode_t = 0o022) throws(SystemCallError) -> Starter {
    try detach(keeping: nil, umask: umask)
  }

  /// Detaches, and vacates all descriptors but 0, 1, 2 and these; nil keeps all.
  @_spi(Begat) public static func detach(keeping keptDescriptors: [CInt]?, umask: mode_t = 0o022)
    throws(SystemCallError) -> Starter
  {
    try Threads.mustBeAlone()
    fflush(nil)
    let ends = try PipeEnds()
    let child = try check("fork") { fork() }
    if child > 0 { ProcessControl.exitImmediately(status: waitForStatus(ends)) }

    platform_forget_deadline()
    // Where no standard stream goes, whatever was closed.
    let pipe = try ends.writeEnd.duplicate(notBelow: 3)
    _ = consume ends
    _ = try check("setsid") { setsid() }
    if try check("fork", { fork() }) > 0 { ProcessControl.exitImmediately(status: 0) }
    _ = try check("chdir", on: "/") { chdir("/") }
    Glibc.umask(umask)
    if let keptDescriptors { try VacatedDescriptors.vacate(from: 3, keeping: keptDescriptors + [pipe.number]) }
    return Starter(pipe)
  }

  private static func waitForStatus(_ ends: consuming PipeEnds) -> CInt {
    let reading = ends.readEnd
    // With our copy of the other end closed, a daemon that dies is the end of the pipe.
    _ = consume ends.writeEnd
    let status = (try? reading.readPrefix(1)) ?? []
    return status.first.map { CInt($0) } ?? 1
  }
}
