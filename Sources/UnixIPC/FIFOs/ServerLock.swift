import Glibc

/// Keeps two servers from serving one path: a locked file beside it, `.NAME.lock`, gone with its owner.
///
/// The FIFO itself cannot be locked: each reader has another one, and who opens it to lock it counts as a reader.  A
/// killed server's file stays, unlocked, and is the next one's.
///
/// Source: flock(2).
struct ServerLock: ~Copyable, Sendable {
  private let file: Descriptor
  private let path: String

  init(beside path: String) throws(FIFO.Refusal) {
    let parent = ParentDirectory.path(of: path)
    let name = ParentDirectory.lastName(of: path)
    let lockPath = "\(parent)/.\(ParentDirectory.beginning(of: name, bytes: 240)).lock"
    while true {
      let file = try refusing { () throws(CallFailure) in
        try Descriptor.open(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
      }
      do throws(CallFailure) {
        _ = try check("flock", on: lockPath) { flock(file.number, LOCK_EX | LOCK_NB) }
      } catch {
        throw error.errno == .wouldBlock ? .inUse(path) : .call(error)
      }
      // One that its last owner removed while this waited to open it locks nothing.
      if ServerLock.isSame(file, lockPath) {
        self.file = file
        self.path = lockPath
        return
      }
    }
  }

  deinit { if ServerLock.isSame(file, path) { unlink(path) } }

  private static func isSame(_ file: borrowing Descriptor, _ path: String) -> Bool {
    var open = stat()
    var present = stat()
    return fstat(file.number, &open) == 0 && lstat(path, &present) == 0 && open.st_dev == present.st_dev
      && open.st_ino == present.st_ino
  }
}
