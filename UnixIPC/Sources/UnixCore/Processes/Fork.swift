import CPlatform
import Glibc

/// In which of the two processes a fork returned.
@_spi(Begat) public enum ForkResult: Sendable {
  /// The new process.
  case child
  /// The process that forked, with the number of its new child.
  case parent(child: pid_t)
}

extension ForkedProcess {
  /// Copies the calling process, which must have one thread only, with a signal of choice announcing the child's end.
  ///
  /// A blocked real-time signal is queued once per child, while one SIGCHLD may stand for any number of them.  The child
  /// must be reaped with `Children.reap`, which passes `__WALL`.  It starts no threads and ends with
  /// `ProcessControl.exitImmediately`.  This is for programs to which every microsecond matters; `ForkedProcess.run` is the
  /// convenient way.
  ///
  /// - Throws: `EDEADLK` in a process with threads (`Threads`).
  ///
  /// Source: clone(2).
  @_spi(Begat) public static func fork(exitSignal: Signal) throws(SystemCallError) -> ForkResult {
    guard Threads.isAlone else { throw SystemCallError("clone", code: .deadlock) }
    let process = platform_fork(exitSignal.rawValue)
    if process == -1 { throw SystemCallError("clone", code: .current) }
    if process == 0 { platform_forget_deadline() }
    return process == 0 ? .child : .parent(child: process)
  }
}
