import Glibc

/// A lock on a path, which need not exist: a locked file beside it, `.NAME.lock`, gone with its owner.
///
/// Only this user can open the file, so no other user can hold the lock, as anyone could hold that of a directory.  A
/// killed owner's file remains, unlocked, and serves the next one.
///
/// Source: flock(2).
struct PathLock: ~Copyable, Sendable {
  /// Why the lock cannot be had.
  enum Refusal: Error {
    case call(CallFailure)
    /// Another process of this user has it.
    case taken
    /// Another user has made the lock's file, in a directory where anybody may make files.
    case foreign(ForeignLock)
  }

  private let file: Descriptor
  private let path: String

  /// Takes the lock.
  ///
  /// - Throws: `taken` if another process still has it at the deadline.
  init(beside path: String, until deadline: Deadline) throws(Refusal) {
    let parent = ParentDirectory.path(of: path)
    let name = ParentDirectory.lastName(of: path)
    let lockPath = "\(parent == "/" ? "" : parent)/.\(ParentDirectory.beginning(of: name, bytes: 240)).lock"
    while true {
      let file = try PathLock.open(lockPath)
      let isLocked: Bool
      // Never by a call that waits: a timer to interrupt it would need a handler.
      do throws(CallFailure) { isLocked = try file.tryLock(.exclusive) } catch { throw .call(error) }
      guard isLocked else {
        guard !deadline.hasPassed else { throw .taken }
        PollSet.pause(.milliseconds(10))
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

  deinit { if PathLock.isSame(file, path) { unlink(path) } }

  private static func open(_ path: String) throws(Refusal) -> Descriptor {
    do throws(CallFailure) {
      let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
      var metadata = stat()
      _ = try check("fstat", on: path) { fstat(file.number, &metadata) }
      guard metadata.st_uid == geteuid(), metadata.st_mode & S_IFMT == S_IFREG else {
        throw CallFailure("open", on: path, errno: .permissionDenied)
      }
      return file
    } catch {
      // In a sticky directory the kernel itself may refuse to open it, even for root: proc_sys_fs(5), protected_regular.
      var metadata = stat()
      guard lstat(path, &metadata) == 0, metadata.st_uid != geteuid() else { throw .call(error) }
      throw .foreign(ForeignLock(path: path, user: metadata.st_uid))
    }
  }

  private static func isSame(_ file: borrowing Descriptor, _ path: String) -> Bool {
    var open = stat()
    var present = stat()
    return fstat(file.number, &open) == 0 && lstat(path, &present) == 0 && open.st_dev == present.st_dev
      && open.st_ino == present.st_ino
  }
}

/// A lock's file that another user has made, who can so keep this one from using the path beside it.
public struct ForeignLock: Hashable, Sendable, CustomStringConvertible {
  public let path: String
  public let user: uid_t

  /// The owner and what to do about it.
  public var description: String {
    "the lock file \(path) belongs to user \(user); remove it, or use a directory where that user cannot make files"
  }
}
