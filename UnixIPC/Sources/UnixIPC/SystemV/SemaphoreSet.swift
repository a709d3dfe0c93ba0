import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// System V semaphores: numbers from 0 to 32,767 that processes change together or wait for.
///
/// A set lives until it is removed, also without any process.  Where logind(8) has `RemoveIPC=yes`, which is its
/// default, it removes a user's sets and segments when that user logs out last: a daemon's user must be a system user.
/// Where one lock per file will do, flock(2) or an open file description's lock (fcntl(2), `F_OFD_SETLK`) needs no
/// object that somebody must remove.
///
/// Source: semget(2), sysvipc(7), logind.conf(5).
public struct SemaphoreSet: Hashable, Sendable {
  /// `semid`.
  public let identifier: CInt
  /// How many semaphores are in it, numbered from 0.
  public let count: Int

  var name: String { "semaphore set \(identifier)" }

  init(identifier: CInt, count: Int) {
    self.identifier = identifier
    self.count = count
  }

  /// A set whose identifier another process has told.
  ///
  /// - Throws: `EINVAL` where there is none, `EACCES` where it may not be read.
  public init(identifier: CInt) throws(SystemCallError) {
    var native = semid_ds()
    _ = try check("semctl", on: "semaphore set \(identifier)") { platform_semctl_facts(identifier, &native) }
    self.init(identifier: identifier, count: Int(native.sem_nsems))
  }

  /// Makes a set whose semaphores have these values.
  ///
  /// Whoever opens it meanwhile with `open` or `createOrOpen` waits until they have.
  ///
  /// - Parameter mode: permissions exactly as given: no umask is applied.  Reading is needed for looking, writing for
  ///   every operation.
  /// - Throws: `EEXIST` where the key has a set, `EINVAL` without values, `ERANGE` where one is above 32,767,
  ///   `ENOSPC` at the system's limit.
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
      // The first operation sets `sem_otime`, which tells the others that the values are there.  It changes nothing.
      try set.perform(
        first == 0
          ? [.waitForZero(0, [.doNotWait])] : [Operation(0, add: -1, [.doNotWait]), Operation(0, add: 1)])
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

  /// Makes the key's set, or opens it where it exists: of many that try at once exactly one makes it, and all of them
  /// see the values.
  ///
  /// - Parameter values: of a set that is made.  One that exists has at least so many semaphores and keeps its values.
  /// - Throws: as `create` and `open` do, but not `EEXIST` and `ENOENT`.
  public static func createOrOpen(
    _ key: SystemVKey, values: [UInt16], mode: mode_t = 0o600, madeBy creator: uid_t? = geteuid(),
    until deadline: Deadline = Deadline(after: .seconds(5))
  ) throws(SystemCallError) -> CreatedOrOpened<SemaphoreSet> {
    try UnixIPC.createOrOpen(
      { () throws(SystemCallError) in try create(key, values: values, mode: mode) },
      { () throws(SystemCallError) in try open(key, least: values.count, madeBy: creator, until: deadline) })
  }

  /// Removes the set at once; who waits for it gets `EIDRM`, who comes later `EINVAL`.
  ///
  /// - Throws: `EPERM` where it is neither owned nor made by this user.
  ///
  /// Source: semctl(2), IPC_RMID.
  public func remove() throws(SystemCallError) {
    _ = try check("semctl", on: name) { platform_semctl(identifier, 0, CInt(IPC_RMID), 0) }
  }
}
