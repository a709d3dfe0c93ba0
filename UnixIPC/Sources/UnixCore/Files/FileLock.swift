import CPlatform
import Glibc

/// Locks of open files.  They are advisory: they keep out only processes that lock the file as well.
///
/// The lock belongs to the open file: duplicates and forked processes share it, and it is released when the last of them
/// is closed or their processes die.
///
/// Source: flock(2).
extension Descriptor {
  /// A kind of lock.
  public enum Lock: Sendable {
    /// Any number of open files may hold it together; `LOCK_SH`.
    case shared
    /// One open file may hold it, and no other may hold any; `LOCK_EX`.
    case exclusive

    fileprivate var operation: CInt { self == .shared ? LOCK_SH : LOCK_EX }
  }

  /// Takes the lock, and waits until other holders have released it.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public func lock(_ lock: Lock, until deadline: Deadline = .never) throws(SystemCallError) {
    if try tryLock(lock) { return }
    let interrupter = try Interrupter(deadline)
    _ = try check("flock", onDescriptor: number) { flock(number, lock.operation) }
    withExtendedLifetime(interrupter) {}
  }

  /// Takes the lock if it is free; false if it is not.  It never waits.
  public func tryLock(_ lock: Lock) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      _ = try check("flock", onDescriptor: number) { flock(number, lock.operation | LOCK_NB) }
      return true
    } catch {
      if error.code == .wouldBlock { return false }
      throw error
    }
  }

  /// Releases the lock.
  public func unlock() throws(SystemCallError) {
    _ = try check("flock", onDescriptor: number) { flock(number, LOCK_UN) }
  }
}
