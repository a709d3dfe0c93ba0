import Glibc

/// A lock on a path, which need not exist: a locked file beside it, `.NAME.lock`, gone with its owner.
///
/// Only this user can open the file, so no other user can hold the lock, as anyone could hold that of a directory.  A
/// killed owner's file remains, unlocked, and serves the next one.
///
/// Source: flock(2).
struct PathLock: ~Copyable, Sendable {
  private let file: Descriptor
  private let path: String

  /// Takes the lock.
  ///
  /// - Throws: `EAGAIN` if another process still has it at the deadline, `EACCES` if the file is another user's.
  init(beside path: String, until deadline: Deadline) throws(CallFailure) {
    let parent = ParentDirectory.path(of: path)
    let name = ParentDirectory.lastName(of: path)
    let lockPath = "\(parent == "/" ? "" : parent)/.\(ParentDirectory.beginning(of: name, bytes: 240)).lock"
    while true {
      let file = try Descriptor.open(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
      try PathLock.checkOwner(file, lockPath)
      // Never by a call that waits: a timer to interrupt it would need a handler.
      guard try file.tryLock(.exclusive) else {
        guard !deadline.hasPassed else { throw CallFailure("flock", on: lockPath, errno: .wouldBlock) }
        _ = poll(nil, 0, 10)
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

  private static func checkOwner(_ file: borrowing Descriptor, _ path: String) throws(CallFailure) {
    var facts = stat()
    _ = try check("fstat", on: path) { fstat(file.number, &facts) }
    guard facts.st_uid == geteuid(), facts.st_mode & S_IFMT == S_IFREG else {
      throw CallFailure("open", on: path, errno: .permissionDenied)
    }
  }

  private static func isSame(_ file: borrowing Descriptor, _ path: String) -> Bool {
    var open = stat()
    var present = stat()
    return fstat(file.number, &open) == 0 && lstat(path, &present) == 0 && open.st_dev == present.st_dev
      && open.st_ino == present.st_ino
  }
}
