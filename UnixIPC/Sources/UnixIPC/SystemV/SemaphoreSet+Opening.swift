import CPlatform
import Glibc
@_spi(Begat) import UnixCore

extension SemaphoreSet {
  /// Opens the set of a key, after its maker has set its values.
  ///
  /// - Parameter key: names the set.
  /// - Parameter minCount: how many semaphores the set must have.
  /// - Parameter owner: the user whose set is trusted; nil accepts every user's.
  /// - Parameter awaitsValues: false for the set of a program that sets values by semctl(2) and does no operation
  ///   afterwards: the kernel does not distinguish it from a set without values.
  /// - Parameter deadline: how long the maker may take; it may have died before it was done.
  /// - Throws: `ENOENT` if the key has no set, `EINVAL` if it is smaller, `EACCES` if its mode keeps this process out,
  ///   `EPERM` if another user made it, `ETIMEDOUT` if it has no values at the deadline, `EIDRM` if it was removed
  ///   meanwhile.
  ///
  /// Source: semget(2), semctl(2), sem_otime.
  public static func open(
    _ key: SystemVKey, minCount: Int = 0, owner: uid_t? = geteuid(), awaitsValues: Bool = true,
    until deadline: Deadline = Deadline(after: .seconds(5))
  ) throws(SystemCallError) -> SemaphoreSet {
    // The private key would make one.
    guard key != .private else { throw SystemCallError("semget", on: "key \(key)", code: .noSuchFileOrDirectory) }
    let identifier = try check("semget", on: "key \(key)") {
      semget(key.rawValue, CInt(clamping: max(0, minCount)), 0)
    }
    let deadline = min(deadline, .current)
    while true {
      let found = try metadata(of: identifier)
      try found.ownership.check(owner: owner, "semget", key)
      if !awaitsValues || found.lastOperation != nil { return SemaphoreSet(identifier: identifier, count: found.count) }
      if deadline.isExpired {
        throw SystemCallError(
          "semget", on: "key \(key) (made, but its maker gave it no values; remove it with ipcrm -S \(key))",
          code: .timedOut)
      }
      // Nothing announces the first operation, and it is microseconds away.
      SystemClock.sleep(for: .milliseconds(1))
    }
  }

  /// The kernel's metadata of a set.
  ///
  /// Source: semctl(2), IPC_STAT.
  public struct Metadata: Hashable, Sendable {
    /// The set's key, owner and permissions.
    public let ownership: SystemVOwnership
    /// How many semaphores are in the set.
    public let count: Int
    /// When the last operation was done, in seconds since 1970-01-01 00:00 UTC; nil before the first one.
    public let lastOperation: Int?
    /// When the set was made or last changed by semctl(2), in seconds since 1970-01-01 00:00 UTC.
    public let lastChange: Int
  }

  /// Asks the kernel for the set's metadata.
  ///
  /// - Throws: `EINVAL` if the set does not exist any more, `EACCES` if it may not be read.
  public func metadata() throws(SystemCallError) -> Metadata {
    do throws(SystemCallError) { return try Self.metadata(of: identifier) } catch {
      // It was there once.
      throw error.code == .identifierRemoved ? SystemCallError(error.call, on: name, code: .invalidArgument) : error
    }
  }

  /// - Throws: `EIDRM` where it was removed since its identifier was told.
  private static func metadata(of identifier: CInt) throws(SystemCallError) -> Metadata {
    var native = semid_ds()
    do throws(SystemCallError) {
      _ = try check("semctl", on: "semaphore set \(identifier)") { platform_semctl_facts(identifier, &native) }
    } catch {
      throw error.code == .invalidArgument
        ? SystemCallError(error.call, on: error.object, code: .identifierRemoved) : error
    }
    return Metadata(native)
  }

  /// Lists every set of this IPC namespace, other users' too.
  ///
  /// They are looked at one after the other: others may be made and removed meanwhile.  A kernel before 4.17 shows none.
  ///
  /// Source: semctl(2), SEM_INFO, SEM_STAT_ANY.
  public static func all() throws(SystemCallError) -> [(set: SemaphoreSet, metadata: Metadata)] {
    let highest = try check("semctl") { platform_highest_semaphore_set() }
    var found: [(set: SemaphoreSet, metadata: Metadata)] = []
    for place in 0...max(0, highest) {
      var native = semid_ds()
      do throws(SystemCallError) {
        let identifier = try check("semctl") { platform_semaphore_set_at(place, &native) }
        found.append((SemaphoreSet(identifier: identifier, count: Int(native.sem_nsems)), Metadata(native)))
      } catch {
        // A place without an object, or with one that was removed just now.
        guard error.code == .invalidArgument || error.code == .identifierRemoved else { throw error }
      }
    }
    return found
  }
}

extension SemaphoreSet.Metadata {
  fileprivate init(_ native: semid_ds) {
    self.init(
      ownership: SystemVOwnership(native.sem_perm), count: Int(native.sem_nsems),
      lastOperation: native.sem_otime == 0 ? nil : native.sem_otime, lastChange: native.sem_ctime)
  }
}
