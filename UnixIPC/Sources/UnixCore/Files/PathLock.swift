import Glibc

/// A lock on a path, which need not exist: a locked file beside it, `.NAME.lock`, gone with its owner.
///
/// Only this user can open the file, so no other user can hold the lock, as anyone could hold that of a directory.  A
/// killed owner's file remains, unlocked, and serves the next one.
///
/// Source: flock(2).
@_spi(Begat) public struct PathLock: ~Copyable, Sendable {
  /// Why the lock cannot be had.
  public enum LockError: Error {
    case call(SystemCallError)
    /// Another process of this user has it.
    case taken
    /// Another user has made the lock file, in a directory where everyone may make files.
    case foreign(ForeignLock)
  }

  private let file: Descriptor
  private let path: UnixPath

  /// Takes the lock.
  ///
  /// - Throws: `taken` if another process still has it at the deadline, or at one of `withDeadline`.
  public init(beside path: UnixPath, until deadline: Deadline) throws(LockError) {
    let lockPath = path.parent.entry(".\(path.lastName.beginning(upTo: 240)).lock")
    while true {
      let file = try PathLock.open(lockPath)
      let isLocked: Bool
      // Never by a call that waits: a timer to interrupt it would need a handler.
      do throws(SystemCallError) { isLocked = try file.tryLock(.exclusive) } catch { throw .call(error) }
      guard isLocked else {
        guard !deadline.isExpired else { throw .taken }
        SystemClock.sleep(for: .milliseconds(10))
        continue
      }
      // One that its last owner removed meanwhile locks nothing.
      if PathLock.isSame(file, lockPath) {
        self.file = file
        self.path = lockPath
        return
      }
    }
  }

  deinit {
    if PathLock.isSame(file, path) { _ = try? check("unlink", path: path) { unlink($0) } }
  }

  private static func open(_ path: UnixPath) throws(LockError) -> Descriptor {
    do throws(SystemCallError) {
      let file = try Descriptor.open(path, [.readWrite, .create, .noFollow, .nonBlocking])
      let metadata = try FileMetadata(of: file)
      guard metadata.native.st_uid == geteuid(), metadata.kind == S_IFREG else {
        throw SystemCallError("open", on: path.description, code: .permissionDenied)
      }
      return file
    } catch {
      // In a sticky directory the kernel itself may refuse to open it, even for root: proc_sys_fs(5), protected_regular.
      guard let owner = try? FileMetadata(at: path).native.st_uid, owner != geteuid() else { throw .call(error) }
      throw .foreign(ForeignLock(path: path, user: owner))
    }
  }

  private static func isSame(_ file: borrowing Descriptor, _ path: UnixPath) -> Bool {
    guard let open = try? FileMetadata(of: file), let present = try? FileMetadata(at: path) else { return false }
    return open.isSameFile(as: present)
  }
}

/// A lock file that another user has made, which keeps this user from using the path beside it.
public struct ForeignLock: Hashable, Sendable, CustomStringConvertible {
  /// The lock file.
  public let path: UnixPath
  /// The user that the lock file belongs to.
  public let user: uid_t

  /// The owner and what to do about it.
  public var description: String {
    "the lock file \(path) belongs to user \(user); remove it, or use a directory where that user cannot make files"
  }
}
