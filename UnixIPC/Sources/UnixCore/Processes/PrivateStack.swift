import CPlatform
import Glibc

/// A stack that processes do not inherit which are forked with an argument (`ForkedProcess.fork(exitSignal:passing:_:)`).
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
}
