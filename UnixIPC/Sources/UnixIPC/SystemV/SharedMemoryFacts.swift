import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// What the kernel tells of a shared memory segment.
///
/// Source: shmctl(2), IPC_STAT.
public struct SharedMemoryFacts: Hashable, Sendable {
  public let ownership: SystemVOwnership
  /// In bytes, as it was asked for.
  public let size: Int
  /// How many times it is mapped, in all processes together.
  public let attachedCount: Int
  public let creatorProcess: pid_t
  /// The last one that attached or detached it; 0 when none has.
  public let lastProcess: pid_t
  /// Whether it goes with its last detaching.
  public let isMarkedForRemoval: Bool
}

extension SharedMemorySegment {
  /// - Throws: `EINVAL` or `EIDRM` where it does not exist any more, `EACCES` where it may not be read.
  public func facts() throws(SystemCallError) -> SharedMemoryFacts {
    var native = shmid_ds()
    _ = try check("shmctl", on: name) { shmctl(identifier, CInt(IPC_STAT), &native) }
    return SharedMemoryFacts(native)
  }

  /// Every segment of this IPC namespace, other users' too, as they are found one after the other.
  ///
  /// A kernel before 4.17 shows none.
  ///
  /// Source: shmctl(2), SHM_INFO, SHM_STAT_ANY.
  public static func all() throws(SystemCallError) -> [(segment: SharedMemorySegment, facts: SharedMemoryFacts)] {
    var native = shmid_ds()
    // It fills in a smaller structure, and returns the highest place that is used.
    let highest = try check("shmctl") { shmctl(0, infoCommand, &native) }
    var found: [(segment: SharedMemorySegment, facts: SharedMemoryFacts)] = []
    for place in 0...max(0, highest) {
      do throws(SystemCallError) {
        let identifier = try check("shmctl") { shmctl(place, statAnyCommand, &native) }
        found.append((SharedMemorySegment(identifier: identifier), SharedMemoryFacts(native)))
      } catch {
        // Nobody's place, or one that was removed just now.
        guard error.code == .invalidArgument || error.code == .identifierRemoved else { throw error }
      }
    }
    return found
  }
}

extension SharedMemoryFacts {
  init(_ native: shmid_ds) {
    self.init(
      ownership: SystemVOwnership(native.shm_perm), size: Int(native.shm_segsz),
      attachedCount: Int(native.shm_nattch), creatorProcess: native.shm_cpid, lastProcess: native.shm_lpid,
      isMarkedForRemoval: CInt(native.shm_perm.mode) & destroyedFlag != 0)
  }
}

/// SHM_INFO, SHM_STAT_ANY, bits/shm.h
private let infoCommand: CInt = 14
private let statAnyCommand: CInt = 15

/// SHM_DEST, bits/shm.h
private let destroyedFlag: CInt = 0o1000
