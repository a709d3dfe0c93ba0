import Glibc

/// The kind of a file: `-f`, `-d`, `-l`, `-p`, `-S`, `-c` and `-b` of the shell and Perl.
///
/// Another file may be at a path a moment later.  If that matters, open the file first and ask about the descriptor.
///
/// Source: inode(7).
public enum FileKind: Hashable, Sendable {
  /// A regular file, `S_IFREG`.
  case regular
  /// A directory, `S_IFDIR`.
  case directory
  /// A symbolic link, `S_IFLNK`.
  case link
  /// A pipe, with a name or without one, `S_IFIFO`.
  case fifo
  /// A socket, `S_IFSOCK`.
  case socket
  /// A character device such as a terminal, `S_IFCHR`.
  case characterDevice
  /// A block device such as a disk, `S_IFBLK`.
  case blockDevice
  /// An object that no file system contains, such as an epoll instance or a signal queue.
  case other

  /// Finds out the kind of the file at a path.
  ///
  /// - Parameter path: where the file is.
  /// - Parameter followsLinks: whether a symbolic link counts as the file that it leads to.
  /// - Throws: `ENOENT` if there is no file, `EINVAL` for a path with a NUL.
  ///
  /// Source: lstat(2), stat(2).
  public init(at path: UnixPath, followingLinks followsLinks: Bool = false) throws(SystemCallError) {
    self.init(try FileMetadata(at: path, followingLinks: followsLinks).native)
  }

  /// Finds out the kind of the file at a path that is text.
  public init(at path: String, followingLinks followsLinks: Bool = false) throws(SystemCallError) {
    try self.init(at: UnixPath(path), followingLinks: followsLinks)
  }

  /// Finds out the kind of an open file.
  ///
  /// Source: fstat(2).
  public init(of descriptor: borrowing Descriptor) throws(SystemCallError) {
    self.init(try FileMetadata(of: descriptor).native)
  }

  private init(_ metadata: stat) {
    self =
      switch metadata.st_mode & S_IFMT {
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
