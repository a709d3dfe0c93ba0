import CPlatform
import Glibc

/// In which of the two processes a fork returned.
@_spi(Begat) public enum ForkResult: Sendable {
  case child
  case parent(child: pid_t)
}

/// Copies the calling process, which must have one thread only, with a signal of choice announcing the child's end.
///
/// A blocked real-time signal is queued once per child, where SIGCHLD stands for any number of them.  The child must
/// be waited for with `Children.reap`, which passes `__WALL`.  It starts no threads and ends with `endProcess`.
/// For whoever needs every microsecond; `ForkedProcess.run` is the convenient way.
///
/// - Throws: `EDEADLK` in a process with threads (`Threads`).
///
/// Source: clone(2).
@_spi(Begat) public func forkProcess(exitSignal: Signal) throws(SystemCallError) -> ForkResult {
  guard Threads.isAlone else { throw SystemCallError("clone", code: .deadlock) }
  let process = platform_fork(exitSignal.rawValue)
  if process == -1 { throw SystemCallError("clone", code: .current) }
  if process == 0 { platform_forget_deadline() }
  return process == 0 ? .child : .parent(child: process)
}

/// Ends the calling process at once: no exit handler runs and no buffer inherited from the parent is written again.
///
/// Source: _exit(2).
public func endProcess(status: CInt) -> Never { _exit(status) }
