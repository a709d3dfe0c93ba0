import CPlatform
import Glibc

/// A stack that is not inherited by processes forked with an argument (`ForkedProcess.fork(exitSignal:passing:_:)`).
///
/// After a fork, both processes pay for each page that they write: a program that forks often, deep in its loop, pays for
/// its stack again and again.  What only the program itself has costs it nothing, and its children cannot read it.  All
/// other ways to start a process work as ever.
@_spi(Begat) public enum PrivateStack {
  /// Runs the closure on a stack of its own.
  ///
  /// - Parameter size: in bytes, a multiple of a page's size.
  /// - Returns: what the closure returns; nil if there is no memory for the stack, and the closure has not run.
  public static func run<Result>(size: Int, _ body: () -> Result) -> Result? {
    var result: Result?
    withoutActuallyEscaping({ result = body() }) { job in
      var job = job
      withUnsafeMutablePointer(to: &job) {
        _ = platform_run_apart(size, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, $0)
      }
    }
    return result
  }

  /// Gives children that are forked with an argument a stack of their own instead of the process's first one, which they
  /// lack from then on, with all that lies on it: arguments, and the environment if nothing has moved it.
  ///
  /// The kernel keeps the first stack far from all other memory: each child needs three tables of pages for it alone.
  /// Near the top of the new one is room for the process's title, on the page that a child writes to anyway.
  ///
  /// - Parameter memory: for the stack, whole pages, which are mapped anew.  The page below them must be one that cannot be
  ///   written to, where a child that uses up its stack is ended by SIGSEGV.
  /// - Parameter room: for the title, in bytes, a multiple of 16, at most half a page.
  /// - Returns: the room, which `ps` shows from now on; nil, and nothing has changed, outside of `run`, if the page below
  ///   the memory can be written to, and where the kernel cannot show the title (`CONFIG_CHECKPOINT_RESTORE`, for a static
  ///   program Linux 5.15).
  ///
  /// Source: PR_SET_MM_MAP in PR_SET_MM(2const).
  public static func leaveFirst(
    for memory: UnsafeMutableRawBufferPointer, room: Int
  ) -> UnsafeMutableBufferPointer<UInt8>? {
    guard let start = platform_leave_first_stack(memory.baseAddress, memory.count, room) else { return nil }
    let title = UnsafeMutableRawPointer(start).bindMemory(to: UInt8.self, capacity: room)
    return UnsafeMutableBufferPointer(start: title, count: room)
  }

  /// Gives children that are forked with an argument a copy of the thread's variables, which lies beside their stack,
  /// instead of the pages that the process itself has them on: `errno` is one of them, and each change of it after a fork
  /// would copy its page.  The copy is made now: children do not see later changes.
  ///
  /// - Parameter pages: whole pages on which the thread's variables lie and nothing else.
  /// - Returns: false, and nothing has changed, unless `leaveFirst` has succeeded and the variables lie there, and on
  ///   processors other than x86-64.
  ///
  /// Source: CLONE_SETTLS in clone(2).
  @discardableResult
  public static func leaveThreadVariables(in pages: UnsafeMutableRawBufferPointer) -> Bool {
    platform_leave_thread_variables(pages.baseAddress, pages.count)
  }
}
