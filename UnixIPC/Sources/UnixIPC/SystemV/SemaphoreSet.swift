import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// System V semaphores: numbers from 0 to 32,767 that processes change together or wait for.
///
/// A set exists until it is removed, with or without a process that uses it.  With `RemoveIPC=yes`, its default,
/// logind(8) removes a user's sets and segments at the end of that user's last session: run a daemon as a system user.
/// If one lock per file is enough, flock(2) (``Descriptor/lock(_:until:)``) needs no object that has to be removed.
///
/// Source: semget(2), sysvipc(7), logind.conf(5).
public struct SemaphoreSet: Hashable, Sendable {
  /// The set's number, `semid`.
  public let identifier: CInt
  /// How many semaphores are in the set, numbered from 0.
  public let count: Int

  var name: String { "semaphore set \(identifier)" }

  init(identifier: CInt, count: Int) {
    self.identifier = identifier
    self.count = count
  }

  /// Finds a set whose identifier another process has passed on.
  ///
  /// - Throws: `EINVAL` if there is none, `EACCES` if it may not be read.
  public init(identifier: CInt) throws(SystemCallError) {
    var native = semid_ds()
    _ = try check("semctl", on: "semaphore set \(identifier)") { platform_semctl_facts(identifier, &native) }
    self.init(identifier: identifier, count: Int(native.sem_nsems))
  }

  /// Makes a set whose semaphores have these values.
  ///
  /// A process that opens the set meanwhile by `open` or `createOrOpen` waits until they have.
  ///
  /// - Parameter key: the name by which other processes find the set.
  /// - Parameter values: one for each semaphore.
  /// - Parameter mode: the permissions exactly as given: no umask is applied.  Reading a value needs the permission to
  ///   read, every operation the one to write.
  /// - Throws: `EEXIST` if the key has a set, `EINVAL` without values, `ERANGE` if one is above 32,767, `ENOSPC` at the
  ///   system's limit.
  ///
  /// Source: semget(2), semctl(2), SETALL.
  public static func create(_ key: SystemVKey = .private, values: [UInt16], mode: mode_t = 0o600)
    throws(SystemCallError)
    -> SemaphoreSet
  {
    guard let first = values.first else { throw SystemCallError("semget", on: "key \(key)", code: .invalidArgument) }
    let set = try createUninitialised(key, count: values.count, mode: mode)
    do throws(SystemCallError) {
      try set.setValues(values)
      // The first operation sets `sem_otime`, by which the others see that the values are there.  It changes nothing.
      try set.perform(
        first == 0
          ? [.waitForZero(0, [.nonBlocking])] : [Operation(0, add: -1, [.nonBlocking]), Operation(0, add: 1)])
      return set
    } catch {
      try? set.remove()
      throw error
    }
  }

  /// The set as semget(2) leaves it, of which `create` is the only one that may make something.
  static func createUninitialised(_ key: SystemVKey, count: Int, mode: mode_t) throws(SystemCallError) -> SemaphoreSet {
    SemaphoreSet(
      identifier: try check("semget", on: "key \(key)") {
        semget(key.rawValue, CInt(clamping: count), createExclusively | CInt(mode & 0o777))
      }, count: count)
  }

  /// Makes the set of a key, or opens it if it exists: of many processes that try together, exactly one makes it, and all
  /// of them see the values.
  ///
  /// - Parameter key: names the set.
  /// - Parameter values: for a new set.  An existing one must have at least as many semaphores and keeps its values.
  /// - Parameter mode: the permissions of a new set.
  /// - Parameter owner: the user whose set is trusted; nil accepts every user's.
  /// - Parameter deadline: how long the maker of an existing set may take to set its values.
  /// - Returns: the set, and whether this call made it.
  /// - Throws: as `create` and `open` do, but not `EEXIST` and `ENOENT`.
  public static func createOrOpen(
    _ key: SystemVKey, values: [UInt16], mode: mode_t = 0o600, owner: uid_t? = geteuid(),
    until deadline: Deadline = Deadline(after: .seconds(5))
  ) throws(SystemCallError) -> (object: SemaphoreSet, isNew: Bool) {
    try UnixIPC.createOrOpen(
      { () throws(SystemCallError) in try create(key, values: values, mode: mode) },
      { () throws(SystemCallError) in try open(key, minCount: values.count, owner: owner, until: deadline) })
  }

  /// Removes the set immediately: calls that wait for it fail with `EIDRM`, later calls with `EINVAL`.
  ///
  /// - Throws: `EPERM` if this user has neither made nor owns it.
  ///
  /// Source: semctl(2), IPC_RMID.
  public func remove() throws(SystemCallError) {
    _ = try check("semctl", on: name) { platform_semctl(identifier, 0, CInt(IPC_RMID), 0) }
  }
}
