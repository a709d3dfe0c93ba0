import CPlatform
import Glibc

/// Locks of open files, which other processes that ask for them respect; nothing else is kept from the file.
///
/// The lock belongs to the open file: duplicates and forked processes share it, and closing the last of them, or the
/// death of their processes, gives it back.
///
/// Source: flock(2).
extension Descriptor {
  public enum Lock: Sendable {
    /// Held by any number at once.
    case shared
    /// Held by one alone.
    case exclusive

    fileprivate var operation: CInt { self == .shared ? LOCK_SH : LOCK_EX }
  }

  /// Takes the lock, waiting for those who have it.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public func lock(_ lock: Lock, until deadline: Deadline = .never) throws(SystemCallError) {
    if try tryLock(lock) { return }
    let interrupter = try Interrupter(deadline)
    _ = try check("flock", on: "descriptor \(number)") { flock(number, lock.operation) }
    withExtendedLifetime(interrupter) {}
  }

  /// Takes the lock if nobody has it; false when somebody does.
  public func tryLock(_ lock: Lock) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      _ = try check("flock", on: "descriptor \(number)") { flock(number, lock.operation | LOCK_NB) }
      return true
    } catch {
      if error.code == .wouldBlock { return false }
      throw error
    }
  }

  /// Gives the lock back.
  public func unlock() throws(SystemCallError) {
    _ = try check("flock", on: "descriptor \(number)") { flock(number, LOCK_UN) }
  }
}
