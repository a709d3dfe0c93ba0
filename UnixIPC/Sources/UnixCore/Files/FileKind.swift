import Glibc

/// What a file is (`-f`, `-d`, `-l`, `-p`, `-S`, `-c` and `-b` of the shell and Perl).
///
/// What is at a path may be something else a moment later: open it first, then ask the descriptor, where that matters.
///
/// Source: inode(7).
public enum FileKind: Hashable, Sendable {
  case regular
  case directory
  case link
  /// A pipe, named or not.
  case fifo
  case socket
  case characterDevice
  case blockDevice
  /// Nothing of a file system's: an epoll instance, a signal queue.
  case other

  /// - Parameter followsLinks: whether a symbolic link stands for what it points to.
  /// - Throws: `ENOENT` when nothing is there.
  ///
  /// Source: lstat(2), stat(2).
  public init(at path: String, followingLinks followsLinks: Bool = false) throws(SystemCallError) {
    var facts = stat()
    _ = try check(followsLinks ? "stat" : "lstat", on: path) {
      fstatat(AT_FDCWD, path, &facts, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW)
    }
    self.init(facts)
  }

  /// Source: fstat(2).
  public init(of descriptor: borrowing Descriptor) throws(SystemCallError) {
    var facts = stat()
    let number = descriptor.number
    _ = try check("fstat", on: "descriptor \(number)") { fstat(number, &facts) }
    self.init(facts)
  }

  private init(_ facts: stat) {
    self =
      switch facts.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .link
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      case S_IFCHR: .characterDevice
      case S_IFBLK: .blockDevice
      default: .other
      }
  }
}
