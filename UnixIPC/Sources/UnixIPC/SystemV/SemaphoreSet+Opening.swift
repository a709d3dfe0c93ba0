import CPlatform
import Glibc
@_spi(Begat) import UnixCore

extension SemaphoreSet {
  /// Opens the set that the key has, when its maker has given it its values.
  ///
  /// - Parameter least: semaphores that it must have.
  /// - Parameter creator: whose set is trusted; nil takes anybody's.
  /// - Parameter awaitsValues: false for a set of a program that gives it values and does no operation then, as a
  ///   maker with no more than semctl(2): the kernel would not tell it from one without values.
  /// - Parameter deadline: how long its maker may take.  One that died before it was done keeps nobody longer.
  /// - Throws: `ENOENT` where the key has none, `EINVAL` where it is smaller, `EACCES` where its mode keeps this process
  ///   out, `EPERM` where another user made it, `ETIMEDOUT` where it has no values at the deadline, `EIDRM` where it
  ///   was removed meanwhile.
  ///
  /// Source: semget(2), semctl(2), sem_otime.
  public static func open(
    _ key: SystemVKey, least: Int = 0, madeBy creator: uid_t? = geteuid(), awaitsValues: Bool = true,
    until deadline: Deadline = Deadline(after: .seconds(5))
  ) throws(SystemCallError) -> SemaphoreSet {
    // The private key would make one.
    guard key != .private else { throw SystemCallError("semget", on: "key \(key)", code: .noSuchFileOrDirectory) }
    let identifier = try check("semget", on: "key \(key)") { semget(key.rawValue, CInt(clamping: max(0, least)), 0) }
    let deadline = min(deadline, .current)
    var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
    while true {
      let found = try facts(of: identifier)
      try found.ownership.check(madeBy: creator, "semget", key)
      if !awaitsValues || found.lastOperation != nil { return SemaphoreSet(identifier: identifier, count: found.count) }
      if deadline.hasPassed {
        throw SystemCallError(
          "semget", on: "key \(key) (made, but its maker gave it no values; remove it with ipcrm -S \(key))",
          code: .timedOut)
      }
      // Nothing announces the first operation, and it is microseconds away.
      nanosleep(&pause, nil)
    }
  }

  /// What the kernel tells of a set.
  ///
  /// Source: semctl(2), IPC_STAT.
  public struct Facts: Hashable, Sendable {
    public let ownership: SystemVOwnership
    public let count: Int
    /// Seconds since 1970-01-01 00:00 UTC; nil before the first one.
    public let lastOperation: Int?
    /// Seconds since 1970-01-01 00:00 UTC of the making, or of the last change by semctl(2).
    public let lastChange: Int
  }

  /// - Throws: `EINVAL` where the set does not exist any more, `EACCES` where it may not be read.
  public func facts() throws(SystemCallError) -> Facts {
    do throws(SystemCallError) { return try Self.facts(of: identifier) } catch {
      // It was there once.
      throw error.code == .identifierRemoved ? SystemCallError(error.call, on: name, code: .invalidArgument) : error
    }
  }

  /// - Throws: `EIDRM` where it was removed since its identifier was told.
  private static func facts(of identifier: CInt) throws(SystemCallError) -> Facts {
    var native = semid_ds()
    do throws(SystemCallError) {
      _ = try check("semctl", on: "semaphore set \(identifier)") { platform_semctl_facts(identifier, &native) }
    } catch {
      throw error.code == .invalidArgument
        ? SystemCallError(error.call, on: error.object, code: .identifierRemoved) : error
    }
    return Facts(native)
  }

  /// Every set of this IPC namespace, other users' too, as they are found one after the other.
  ///
  /// A kernel before 4.17 shows none.
  ///
  /// Source: semctl(2), SEM_INFO, SEM_STAT_ANY.
  public static func all() throws(SystemCallError) -> [(set: SemaphoreSet, facts: Facts)] {
    let highest = try check("semctl") { platform_highest_semaphore_set() }
    var found: [(set: SemaphoreSet, facts: Facts)] = []
    for place in 0...max(0, highest) {
      var native = semid_ds()
      do throws(SystemCallError) {
        let identifier = try check("semctl") { platform_semaphore_set_at(place, &native) }
        found.append((SemaphoreSet(identifier: identifier, count: Int(native.sem_nsems)), Facts(native)))
      } catch {
        // Nobody's place, or one that was removed just now.
        guard error.code == .invalidArgument || error.code == .identifierRemoved else { throw error }
      }
    }
    return found
  }
}

extension SemaphoreSet.Facts {
  fileprivate init(_ native: semid_ds) {
    self.init(
      ownership: SystemVOwnership(native.sem_perm), count: Int(native.sem_nsems),
      lastOperation: native.sem_otime == 0 ? nil : native.sem_otime, lastChange: native.sem_ctime)
  }
}
