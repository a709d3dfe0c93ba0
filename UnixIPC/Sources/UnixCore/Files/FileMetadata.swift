import CPlatform
import Glibc

/// The kernel's metadata of a file.
///
/// Source: stat(2), stat(3type).
@_spi(Begat) public struct FileMetadata: Sendable {
  package let native: stat

  /// - Throws: `ENOENT` if there is no file, `EINVAL` for a path with a NUL.
  public init(at path: UnixPath, followingLinks followsLinks: Bool = false) throws(SystemCallError) {
    var native = stat()
    _ = try check(followsLinks ? "stat" : "lstat", path: path) {
      fstatat(AT_FDCWD, $0, &native, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW)
    }
    self.native = native
  }

  /// - Throws: what fstat(2) reports.
  public init(of descriptor: borrowing Descriptor) throws(SystemCallError) {
    var native = stat()
    let number = descriptor.number
    _ = try check("fstat", onDescriptor: number) { platform_fstat(number, &native) }
    self.native = native
  }

  /// The user that the file belongs to.
  public var owner: uid_t { native.st_uid }

  /// Whether it is a regular file.
  public var isRegular: Bool { kind == S_IFREG }

  /// The kind of file, one of `S_IFREG` and so on.
  package var kind: mode_t { native.st_mode & S_IFMT }

  /// Whether both describe one file.
  package func isSameFile(as other: FileMetadata) -> Bool {
    native.st_dev == other.native.st_dev && native.st_ino == other.native.st_ino
  }
}
