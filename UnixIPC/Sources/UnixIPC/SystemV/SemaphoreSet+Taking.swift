import Glibc
@_spi(Begat) import UnixCore

/// A semaphore as a lock: 0 is free, 1 is taken.
///
/// With `Undo.atExit` a dead holder's lock is free again, even after kill -9.  The kernel counts for each process what has
/// to be undone, so:
///
/// - The process that takes must be the one that lives as long as the lock is to be held.  A command that takes and ends
///   has given back with its end; for a lock that outlives its taker both sides say `never`, and a crash leaves it taken.
/// - The process that took gives back, and says the same at both.  If one process takes and another gives, both with
/// `.atExit`, the giver's exit takes the semaphore again, permanently.
/// - A forked process undoes nothing of its parent's; a process that executes another program keeps what it has to undo.
/// - Values end at 32,767, and so does what one process is to undo of one semaphore: `ERANGE`.
/// - Setting a value (`setValue`) forgets what all processes were to undo of it.
///
/// Source: semop(2), SEM_UNDO.
extension SemaphoreSet {
  /// Waits until the semaphore is 0 and makes it 1, in one step.
  ///
  /// - Parameter undo: ``Undo/atExit`` gives the semaphore back when this process ends, however it ends: right for a process
  ///   that works under the lock.  A command that takes it and ends immediately, for another one to give back, needs
  ///   ``Undo/never``, in both.
  /// - Throws: `ETIMEDOUT` at the deadline, `EIDRM` if the set was removed while this waited, and as `perform` does.
  public func take(_ index: Int = 0, undo: Undo = .atExit, until deadline: Deadline = .never) throws(SystemCallError) {
    try perform([.waitForZero(index), Operation(index, add: 1, undo.options)], until: deadline)
  }

  /// Makes the semaphore 1 if it is 0, without waiting; false if it is taken.
  public func tryTake(_ index: Int = 0, undo: Undo = .atExit) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      try perform([.waitForZero(index, .nonBlocking), Operation(index, add: 1, undo.options.union(.nonBlocking))])
      return true
    } catch {
      if error.code == .wouldBlock { return false }
      throw error
    }
  }

  /// Gives back what was taken.
  ///
  /// The kernel does not know which process took it: every process that may write may give it.
  ///
  /// - Parameter undo: the same as when it was taken.
  /// - Throws: `EAGAIN` if nothing is taken, and as `perform` does.
  public func give(_ index: Int = 0, undo: Undo = .atExit) throws(SystemCallError) {
    do throws(SystemCallError) { try perform([Operation(index, add: -1, undo.options.union(.nonBlocking))]) } catch {
      throw error.code == .wouldBlock
        ? SystemCallError("semop", on: "semaphore \(index) of set \(identifier) (it is not taken)", code: .wouldBlock)
        : error
    }
  }

  /// Takes the semaphore, runs `body`, and gives back on every way out of it; if the process ends in it, the kernel does.
  ///
  /// - Throws: the error of `take` or `give`; if `body` throws, its error.
  public func withTaken<Result>(_ index: Int = 0, until deadline: Deadline = .never, _ body: () throws -> Result) throws
    -> Result
  {
    try take(index, until: deadline)
    let result: Result
    do { result = try body() } catch {
      try? give(index)
      throw error
    }
    // If the lock is gone, another process may have been in: a success would hide it.
    try give(index)
    return result
  }
}
