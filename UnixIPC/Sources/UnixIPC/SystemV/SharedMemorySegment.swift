import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// System V shared memory, known by its identifier.  It exists until it is removed, with or without a process that uses
/// it.
///
/// This value is only its name; ``attach(_:)`` maps the memory.
///
/// Source: shmget(2), sysvipc(7).
public struct SharedMemorySegment: Hashable, Sendable {
  /// The segment's number, `shmid`.
  public let identifier: CInt

  /// Names a segment whose identifier another process has passed on.
  public init(identifier: CInt) { self.identifier = identifier }

  var name: String { "shared memory \(identifier)" }

  /// Makes a segment of zeroed bytes.
  ///
  /// - Parameter key: the name by which other processes find it.
  /// - Parameter size: in bytes; the rest of the last page, which the kernel adds, is neither shown nor mapped.
  /// - Parameter mode: the permissions exactly as given: no umask is applied.
  /// - Throws: `EEXIST` if the key has a segment, `EINVAL` if the size is 0, `ENOSPC` at the system's limit.
  ///
  /// Source: shmget(2), IPC_CREAT, IPC_EXCL.
  public static func create(_ key: SystemVKey = .private, size: Int, mode: mode_t = 0o600) throws(SystemCallError)
    -> SharedMemorySegment
  {
    guard size > 0 else { throw SystemCallError("shmget", on: "key \(key)", code: .invalidArgument) }
    return SharedMemorySegment(
      identifier: try check("shmget", on: "key \(key)") {
        shmget(key.rawValue, size, createExclusively | CInt(mode & 0o777))
      })
  }

  /// Opens the segment of a key; ``metadata()`` has its size.
  ///
  /// - Parameter key: names the segment.
  /// - Parameter minSize: how many bytes it must have.
  /// - Parameter owner: the user whose segment is trusted; nil accepts every user's.
  /// - Throws: `ENOENT` if the key has none, `EINVAL` if it is smaller, `EACCES` if its mode keeps this process out,
  ///   `EPERM` if another user made it.
  ///
  /// Source: shmget(2).
  public static func open(_ key: SystemVKey, minSize: Int = 0, owner: uid_t? = geteuid()) throws(SystemCallError)
    -> SharedMemorySegment
  {
    // The private key would make one.
    guard key != .private else { throw SystemCallError("shmget", on: "key \(key)", code: .noSuchFileOrDirectory) }
    let segment = SharedMemorySegment(
      identifier: try check("shmget", on: "key \(key)") { shmget(key.rawValue, max(0, minSize), 0) })
    if owner != nil { try segment.metadata().ownership.check(owner: owner, "shmget", key) }
    return segment
  }

  /// Makes the segment of a key, or opens it if it exists: of many processes that try together, exactly one makes it.
  ///
  /// - Returns: the segment, and whether this call made it.
  /// - Throws: as ``create(_:size:mode:)`` and ``open(_:minSize:owner:)`` do, but not `EEXIST` and `ENOENT`.
  public static func createOrOpen(
    _ key: SystemVKey, size: Int, mode: mode_t = 0o600, owner: uid_t? = geteuid()
  ) throws(SystemCallError) -> (object: SharedMemorySegment, isNew: Bool) {
    try UnixIPC.createOrOpen(
      { () throws(SystemCallError) in try create(key, size: size, mode: mode) },
      { () throws(SystemCallError) in try open(key, minSize: size, owner: owner) })
  }

  /// Maps the whole segment, until the result is discarded.
  ///
  /// - Throws: `EINVAL` if it does not exist, `EIDRM` if it was removed, `EACCES` if its mode does not allow it.
  ///
  /// Source: shmat(2).
  public func attach(_ access: SharedMemoryAttachment.Access = .readWrite) throws(SystemCallError)
    -> SharedMemoryAttachment
  {
    try SharedMemoryAttachment(self, access)
  }

  /// Makes a segment, maps it, and marks it for removal at its last detaching if `removal` says so.
  ///
  /// A marked segment does not outlive its processes, however they end, unless this process is killed between the three
  /// calls.  A marked segment is not found by its key: forked processes have it, and others attach it by its identifier.
  ///
  /// Source: shmctl(2), IPC_RMID.
  public static func createAttached(
    _ key: SystemVKey = .private, size: Int, mode: mode_t = 0o600, removal: Removal = .atLastDetach
  ) throws(SystemCallError) -> SharedMemoryAttachment {
    let segment = try create(key, size: size, mode: mode)
    do throws(SystemCallError) {
      let memory = try segment.attach()
      if removal == .atLastDetach { try segment.remove() }
      return memory
    } catch {
      try? segment.remove()
      throw error
    }
  }

  /// When a segment is removed.
  public enum Removal: Sendable {
    /// When the last process that has it mapped detaches it.
    case atLastDetach
    /// When ``SharedMemorySegment/remove()`` is called.
    case whenAsked
  }

  /// Removes the segment: its key is free immediately, its memory when the last process has detached it.
  ///
  /// - Throws: `EPERM` if this user has neither made nor owns it.
  ///
  /// Source: shmctl(2), IPC_RMID.
  public func remove() throws(SystemCallError) {
    _ = try check("shmctl", on: name) { shmctl(identifier, CInt(IPC_RMID), nil) }
  }
}
