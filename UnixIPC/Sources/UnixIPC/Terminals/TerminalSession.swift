import Glibc
@_spi(Begat) import UnixCore

/// The program of a conversation and all that it started on its terminal, with one owner.
///
/// The session ends with its leader: what is left then is killed, in whatever group.  A process that called setsid(2) is not in
/// it.
struct TerminalSession: ~Copyable {
  private var child: ChildProcess
  /// Whether the leader's end was seen and the rest was killed.
  private var isOver = false

  init(_ program: Program, descriptors: [CInt]) throws(SystemCallError) {
    child = try program.spawn(descriptors: descriptors)
  }

  deinit {
    guard !isOver else { return }
    child.send(.kill)
    // By then it makes no more; ended and unreaped, its number still means the session.
    _ = child.handle.waitForExit(until: TerminalSession.sweepLimit)
    _ = SessionMembers.kill(of: process, until: TerminalSession.sweepLimit)
  }

  /// A process in uninterruptible sleep does not even obey SIGKILL.
  private static var sweepLimit: Deadline { Deadline(after: .seconds(5)) }

  var process: pid_t { child.process }

  /// Readable when the leader has ended.
  var endDescriptor: CInt { child.handle.descriptor.number }

  var hasEnded: Bool { isOver || child.handle.hasEnded }

  /// Sends a signal to all processes of the session.
  func send(_ signal: Signal) {
    guard !isOver else { return }
    child.send(signal)
    // Its own group has it already; jobs are in groups of their own.
    for member in SessionMembers.living(of: process) where getpgid(member) != process {
      SessionMembers.send(signal, to: member, of: process)
    }
  }

  /// To be called when the leader has ended: kills what it left behind.
  mutating func sweep() {
    guard !isOver, child.handle.hasEnded else { return }
    isOver = SessionMembers.kill(of: process, until: TerminalSession.sweepLimit)
  }

  /// Waits for the end of a leader that was killed, after whatever deadline, kills what it left behind, and reaps it.
  mutating func reapKilled() -> ExitStatus {
    while !child.handle.hasEnded {
      var information = siginfo_t()
      // Interrupted after a deadline of the thread.
      waitid(P_PID, id_t(bitPattern: process), &information, WEXITED | WNOWAIT)
    }
    sweep()
    isOver = true
    return child.terminate(gracePeriod: .zero)
  }

  /// The leader's status, when it has ended; reaped after the sweep, for its number names the session.
  mutating func status(until deadline: Deadline) throws(SystemCallError) -> ExitStatus? {
    guard child.handle.waitForExit(until: deadline) else { return nil }
    sweep()
    isOver = true
    guard let status = child.status() else {
      throw SystemCallError("waitpid", on: String(process), code: .noChildProcess)
    }
    return status
  }
}
