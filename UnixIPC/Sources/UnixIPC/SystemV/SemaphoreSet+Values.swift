import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Reading semaphores, whose values may have changed by the time that the caller has them.
///
/// Source: semctl(2).
extension SemaphoreSet {
  /// Reads the values of all semaphores at one moment.
  ///
  /// - Throws: `EINVAL` if the set is gone, `EACCES` if it may not be read.
  public func values() throws(SystemCallError) -> [UInt16] {
    var values = [UInt16](repeating: 0, count: count)
    _ = try check("semctl", on: name) { platform_semctl_all(identifier, CInt(GETALL), &values) }
    return values
  }

  /// Reads the value of one semaphore.
  ///
  /// - Throws: `EINVAL` for a number that the set does not have.
  public func value(_ index: Int = 0) throws(SystemCallError) -> Int { try ask(GETVAL, index) }

  /// Counts the processes that wait until the value is greater; `semncnt`.
  public func waitersForIncrease(_ index: Int = 0) throws(SystemCallError) -> Int { try ask(GETNCNT, index) }

  /// Counts the processes that wait until the value is 0; `semzcnt`.
  public func waitersForZero(_ index: Int = 0) throws(SystemCallError) -> Int { try ask(GETZCNT, index) }

  /// Finds the process that did the last operation on the semaphore; 0 if there was none; `sempid`.
  public func lastProcess(_ index: Int = 0) throws(SystemCallError) -> pid_t { pid_t(try ask(GETPID, index)) }

  /// Sets the value, wakes the processes waiting for it, and clears every process's undo count for it.
  ///
  /// - Throws: `ERANGE` above 32,767.
  public func setValue(_ index: Int = 0, to value: UInt16) throws(SystemCallError) {
    _ = try check("semctl", on: name) { platform_semctl(identifier, CInt(clamping: index), CInt(SETVAL), CInt(value)) }
  }

  /// Sets the values of all semaphores in one step, as ``setValue(_:to:)`` does for one.
  ///
  /// - Throws: `ERANGE` if one is above 32,767, `EINVAL` if they are not as many as the set has.
  public func setValues(_ values: [UInt16]) throws(SystemCallError) {
    guard values.count == count else { throw SystemCallError("semctl", on: name, code: .invalidArgument) }
    var values = values
    _ = try check("semctl", on: name) { platform_semctl_all(identifier, CInt(SETALL), &values) }
  }

  private func ask(_ command: Int32, _ index: Int) throws(SystemCallError) -> Int {
    Int(try check("semctl", on: name) { platform_semctl(identifier, CInt(clamping: index), CInt(command), 0) })
  }
}
