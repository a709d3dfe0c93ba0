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

  /// Copies the calling process as `fork(exitSignal:)` does, and runs a function in the copy.
  ///
  /// The copy begins on the first stack, or on that of `PrivateStack.leaveFirst`; that of `PrivateStack.run` is not in its
  /// memory.  A deadline of `withDeadline` still applies in it, unless the copy has older thread
  /// variables (`PrivateStack.leaveThreadVariables`).
  ///
  /// - Parameter argument: its bytes are copied, and the copy is never destroyed; 256 bytes at most.
  /// - Parameter body: gets the copy, and returns the status with which the process ends.
  /// - Returns: the number of the new process.
  /// - Throws: as `fork(exitSignal:)`.
  @_spi(Begat) public static func fork<Argument: ~Copyable>(
    exitSignal: Signal, passing argument: borrowing Argument,
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> CInt
  ) throws(SystemCallError) -> pid_t {
    guard Threads.isAlone else { throw SystemCallError("clone", code: .deadlock) }
    precondition(MemoryLayout<Argument>.size <= PLATFORM_MOST_PASSED_BYTES)
    let process = withUnsafePointer(to: argument) {
      platform_fork_to(exitSignal.rawValue, body, $0, MemoryLayout<Argument>.size)
    }
    if process == -1 { throw SystemCallError("clone", code: .current) }
    return process
  }
}
