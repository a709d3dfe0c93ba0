import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// System V shared memory, known by its identifier.  It lives until it is removed, also without any process.
///
/// This value is the name only; `attach` maps the memory.
///
/// Source: shmget(2), sysvipc(7).
public struct SharedMemorySegment: Hashable, Sendable {
  /// `shmid`.
  public let identifier: CInt

  /// A segment whose identifier another process has told.
  public init(identifier: CInt) { self.identifier = identifier }

  var name: String { "shared memory \(identifier)" }

  /// Makes a segment of zeroed bytes.
  ///
  /// - Parameter size: in bytes; what the kernel rounds up to whole pages is neither shown nor mapped.
  /// - Parameter mode: permissions exactly as given: no umask is applied.
  /// - Throws: `EEXIST` where the key has a segment, `EINVAL` where the size is 0, `ENOSPC` at the system's limit.
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

  /// Opens the segment that the key has; its size is told by `facts`.
  ///
  /// - Parameter least: bytes that it must have.
  /// - Parameter creator: whose segment is trusted; nil takes anybody's.
  /// - Throws: `ENOENT` where the key has none, `EINVAL` where it is smaller, `EACCES` where its mode keeps this process
  ///   out, `EPERM` where another user made it.
  ///
  /// Source: shmget(2).
  public static func open(_ key: SystemVKey, least: Int = 0, madeBy creator: uid_t? = geteuid()) throws(SystemCallError)
    -> SharedMemorySegment
  {
    // The private key would make one.
    guard key != .private else { throw SystemCallError("shmget", on: "key \(key)", code: .noSuchFileOrDirectory) }
    let segment = SharedMemorySegment(
      identifier: try check("shmget", on: "key \(key)") { shmget(key.rawValue, max(0, least), 0) })
    if creator != nil { try segment.facts().ownership.check(madeBy: creator, "shmget", key) }
    return segment
  }

  /// Makes the key's segment, or opens it where it exists: of many that try at once exactly one makes it.
  ///
  /// - Throws: as `create` and `open` do, but not `EEXIST` and `ENOENT`.
  public static func createOrOpen(
    _ key: SystemVKey, size: Int, mode: mode_t = 0o600, madeBy creator: uid_t? = geteuid()
  ) throws(SystemCallError) -> CreatedOrOpened<SharedMemorySegment> {
    try UnixIPC.createOrOpen(
      { () throws(SystemCallError) in try create(key, size: size, mode: mode) },
      { () throws(SystemCallError) in try open(key, least: size, madeBy: creator) })
  }

  /// Maps the whole segment, until the owner of the result lets go of it.
  ///
  /// - Throws: `EINVAL` where it does not exist, `EIDRM` where it was removed, `EACCES` where its mode does not allow it.
  ///
  /// Source: shmat(2).
  public func attach(_ access: SharedMemoryAttachment.Access = .readWrite) throws(SystemCallError)
    -> SharedMemoryAttachment
  {
    try SharedMemoryAttachment(self, access)
  }

  /// Makes a segment, maps it, and marks it at once for removal at its last detaching, as `removal` asks.
  ///
  /// What is so marked does not outlive its processes, however they end.  Only a process that is killed between the first
  /// of these three calls and the last leaves it.  Nobody finds a marked segment by its key: forked processes have it,
  /// and others attach it by its identifier.
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

  /// When a segment goes.
  public enum Removal: Sendable {
    /// With the last process that has it mapped.
    case atLastDetach
    /// When somebody calls `remove`, else never.
    case whenAsked
  }

  /// Removes the segment: its key is free at once, its memory when the last process has detached it.
  ///
  /// - Throws: `EPERM` where it is neither owned nor made by this user.
  ///
  /// Source: shmctl(2), IPC_RMID.
  public func remove() throws(SystemCallError) {
    _ = try check("shmctl", on: name) { shmctl(identifier, CInt(IPC_RMID), nil) }
  }
}
