import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// The kernel's metadata of a shared memory segment.
///
/// Source: shmctl(2), IPC_STAT.
public struct SharedMemoryMetadata: Hashable, Sendable {
  /// The segment's key, owner and permissions.
  public let ownership: SystemVOwnership
  /// The size in bytes, as it was asked for.
  public let size: Int
  /// How many times the segment is mapped, in all processes together.
  public let attachedCount: Int
  /// The process that made the segment.
  public let creatorProcess: pid_t
  /// The last process that attached or detached the segment; 0 if none has.
  public let lastProcess: pid_t
  /// Whether the segment is removed when its last process detaches it.
  public let isMarkedForRemoval: Bool
}

extension SharedMemorySegment {
  /// Asks the kernel for the segment's metadata.
  ///
  /// - Throws: `EINVAL` or `EIDRM` if it does not exist any more, `EACCES` if it may not be read.
  public func metadata() throws(SystemCallError) -> SharedMemoryMetadata {
    var native = shmid_ds()
    _ = try check("shmctl", on: name) { shmctl(identifier, CInt(IPC_STAT), &native) }
    return SharedMemoryMetadata(native)
  }

  /// Lists every segment of this IPC namespace, other users' too.
  ///
  /// They are looked at one after the other: others may be made and removed meanwhile.  A kernel before 4.17 shows none.
  ///
  /// Source: shmctl(2), SHM_INFO, SHM_STAT_ANY.
  public static func all() throws(SystemCallError) -> [(segment: SharedMemorySegment, metadata: SharedMemoryMetadata)] {
    var native = shmid_ds()
    // It fills in a smaller structure, and returns the highest place that is used.
    let highest = try check("shmctl") { shmctl(0, infoCommand, &native) }
    var found: [(segment: SharedMemorySegment, metadata: SharedMemoryMetadata)] = []
    for place in 0...max(0, highest) {
      do throws(SystemCallError) {
        let identifier = try check("shmctl") { shmctl(place, statAnyCommand, &native) }
        found.append((SharedMemorySegment(identifier: identifier), SharedMemoryMetadata(native)))
      } catch {
        // A place without an object, or with one that was removed just now.
        guard error.code == .invalidArgument || error.code == .identifierRemoved else { throw error }
      }
    }
    return found
  }
}

extension SharedMemoryMetadata {
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
