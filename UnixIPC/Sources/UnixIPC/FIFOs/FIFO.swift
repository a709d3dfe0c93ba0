import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// A named pipe that this process made or took over.
///
/// The value holds the FIFO by a descriptor that neither reads nor writes.  As long as the value lives, no other file can
/// get the FIFO's inode number, and what it opens is this pipe, whatever is at its path.  It needs /proc.
///
/// Source: fifo(7), open(2), O_PATH.
public struct FIFO: ~Copyable, Sendable {
  /// Where the FIFO was made or found.
  public private(set) var path: UnixPath
  let directory: Descriptor
  private(set) var name: UnixPath
  private let handle: Descriptor
  private let metadata: FileMetadata

  /// Makes a FIFO at a path where nothing is.
  ///
  /// - Parameter path: in a directory where no other user can replace files.
  /// - Parameter mode: the permissions, whatever the umask is; they are never wider meanwhile.
  /// - Throws: ``OpenError``, with `EEXIST` if something is at the path and `EINVAL` for a path with a NUL.
  ///
  /// Source: mkfifo(3).
  public static func make(at path: UnixPath, mode: mode_t = 0o600) throws(OpenError) -> FIFO {
    let directory = try safeDirectory(of: path, for: "mkfifo")
    let number = directory.number
    try opening { () throws(SystemCallError) in
      try named(path) { () throws(SystemCallError) in
        _ = try check("mkfifo", path: path.lastName) { mkfifoat(number, $0, mode & 0o777) }
      }
    }
    let fifo = try FIFO(path, in: directory)
    do throws(OpenError) {
      try fifo.setMode(mode)
    } catch {
      fifo.removeIfOurs()
      throw error
    }
    return fifo
  }

  /// Takes over a FIFO of this user, as it is.
  ///
  /// - Throws: ``OpenError``, with `ENOENT` if nothing is at the path.
  public static func adopt(at path: UnixPath) throws(OpenError) -> FIFO {
    try FIFO(path, in: try safeDirectory(of: path, for: "open"))
  }

  /// Makes a FIFO, or takes over one of this user and sets its permissions.
  ///
  /// - Throws: ``OpenError``.
  public static func makeOrAdopt(at path: UnixPath, mode: mode_t = 0o600) throws(OpenError) -> FIFO {
    do throws(OpenError) { return try make(at: path, mode: mode) } catch {
      guard case .call(let failure) = error, failure.code == .fileExists else { throw error }
    }
    let fifo = try adopt(at: path)
    try fifo.setMode(mode)
    return fifo
  }

  private init(_ path: UnixPath, in directory: consuming Descriptor) throws(OpenError) {
    let name = path.lastName
    let number = directory.number
    // A link is opened itself, not followed, and refused.
    let handle = try opening { () throws(SystemCallError) in
      try FIFO.named(path) { () throws(SystemCallError) in
        try Descriptor.open("/proc/self/fd/\(number)/\(name)" as UnixPath, [.path, .noFollow])
      }
    }
    let metadata = try opening { () throws(SystemCallError) in try FileMetadata(of: handle) }
    if metadata.kind != S_IFIFO { throw .notAFIFO(path) }
    if metadata.native.st_uid != geteuid() { throw .foreign(path, user: metadata.native.st_uid) }
    self.path = path
    self.directory = directory
    self.name = name
    self.handle = handle
    self.metadata = metadata
  }

  /// Leads to this very pipe.
  var ownPath: UnixPath { "/proc/self/fd/\(handle.number)" }

  private func setMode(_ mode: mode_t) throws(OpenError) {
    let (path, ownPath) = (path, ownPath)
    try opening { () throws(SystemCallError) in
      try FIFO.named(path) { () throws(SystemCallError) in
        _ = try check("chmod", path: ownPath) { chmod($0, mode & 0o777) }
      }
    }
  }

  /// Whether this FIFO is what is at its path.
  public var isInPlace: Bool { isAt(name) }

  func isAt(_ name: UnixPath) -> Bool {
    var present = stat()
    let number = directory.number
    let result = try? check("fstatat", path: name) { fstatat(number, $0, &present, AT_SYMLINK_NOFOLLOW) }
    return result != nil && isThis(present)
  }

  func isThis(_ other: stat) -> Bool {
    other.st_dev == metadata.native.st_dev && other.st_ino == metadata.native.st_ino
  }

  mutating func isNow(at path: UnixPath, _ name: UnixPath) {
    self.path = path
    self.name = name
  }

  /// Reports a failure on the path that the caller knows.
  static func named<Result: ~Copyable>(_ path: UnixPath, _ body: () throws(SystemCallError) -> Result)
    throws(SystemCallError) -> Result
  {
    do throws(SystemCallError) { return try body() } catch {
      throw SystemCallError(error.call, on: path.description, code: error.code)
    }
  }

  /// - Parameter call: what fails, on the path, if the directory is missing or is none.
  private static func safeDirectory(of path: UnixPath, for call: String) throws(OpenError) -> Descriptor {
    let danger: UnsafeDirectory
    do throws(SystemCallError) {
      guard let found = try UnsafeDirectory.find(on: path.parent) else {
        return try Descriptor.open(path.parent, [.readOnly, .directory])
      }
      danger = found
    } catch { throw .call(SystemCallError(call, on: path.description, code: error.code)) }
    throw .unsafeDirectory(path, danger)
  }
}

/// Paths that are text.
extension FIFO {
  /// Makes a FIFO at a path that is text and where nothing is.
  public static func make(at path: String, mode: mode_t = 0o600) throws(OpenError) -> FIFO {
    try make(at: UnixPath(path), mode: mode)
  }

  /// Takes over a FIFO of this user at a path that is text.
  public static func adopt(at path: String) throws(OpenError) -> FIFO { try adopt(at: UnixPath(path)) }

  /// Makes a FIFO at a path that is text, or takes over one of this user and sets its permissions.
  public static func makeOrAdopt(at path: String, mode: mode_t = 0o600) throws(OpenError) -> FIFO {
    try makeOrAdopt(at: UnixPath(path), mode: mode)
  }
}
