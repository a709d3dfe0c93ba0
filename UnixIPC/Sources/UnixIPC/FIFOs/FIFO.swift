import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// A named pipe that this process made or took over.
///
/// It is held by a descriptor that neither reads nor writes: its inode number cannot become another file's as long as
/// this value lives, and what is opened is this pipe, whatever stands at its path.  Needs /proc.
///
/// Source: fifo(7), open(2), O_PATH.
public struct FIFO: ~Copyable, Sendable {
  public private(set) var path: String
  let directory: Descriptor
  private(set) var name: String
  private let handle: Descriptor
  private let device: dev_t
  private let inode: ino_t

  /// Makes a FIFO where nothing is.
  ///
  /// - Parameter mode: permissions as given, whatever the umask; never wider meanwhile.
  /// - Throws: `Refusal`, `EEXIST` where something is at the path.
  ///
  /// Source: mkfifo(3).
  public static func make(at path: String, mode: mode_t = 0o600) throws(Refusal) -> FIFO {
    let directory = try safeDirectory(of: path)
    let name = ParentDirectory.lastName(of: path)
    try refusing { () throws(SystemCallError) in
      _ = try check("mkfifo", on: path) { mkfifoat(directory.number, name, mode & 0o777) }
    }
    let fifo = try FIFO(path, in: directory)
    do throws(Refusal) {
      try fifo.setMode(mode)
    } catch {
      fifo.removeIfOurs()
      throw error
    }
    return fifo
  }

  /// Takes over a FIFO of this user, as it is.
  ///
  /// - Throws: `Refusal`, `ENOENT` where nothing is at the path.
  public static func adopt(at path: String) throws(Refusal) -> FIFO {
    try FIFO(path, in: try safeDirectory(of: path))
  }

  /// Makes a FIFO, or takes over one of this user and gives it the mode.
  ///
  /// - Throws: `Refusal`.
  public static func makeOrAdopt(at path: String, mode: mode_t = 0o600) throws(Refusal) -> FIFO {
    do throws(Refusal) { return try make(at: path, mode: mode) } catch {
      guard case .call(let failure) = error, failure.code == .fileExists else { throw error }
    }
    let fifo = try adopt(at: path)
    try fifo.setMode(mode)
    return fifo
  }

  private init(_ path: String, in directory: consuming Descriptor) throws(Refusal) {
    let name = ParentDirectory.lastName(of: path)
    let number = directory.number
    // No link at the end is followed: it would be opened itself, and refused.
    let handle = try refusing { () throws(SystemCallError) in
      try FIFO.named(path) { () throws(SystemCallError) in
        try Descriptor.open("/proc/self/fd/\(number)/\(name)", pathOnly | O_NOFOLLOW)
      }
    }
    var facts = stat()
    try refusing { () throws(SystemCallError) in _ = try check("fstat", on: path) { fstat(handle.number, &facts) } }
    if facts.st_mode & S_IFMT != S_IFIFO { throw .notAFIFO(path) }
    if facts.st_uid != geteuid() { throw .foreign(path, user: facts.st_uid) }
    self.path = path
    self.directory = directory
    self.name = name
    self.handle = handle
    device = facts.st_dev
    inode = facts.st_ino
  }

  /// Leads to this very pipe.
  var ownPath: String { "/proc/self/fd/\(handle.number)" }

  private func setMode(_ mode: mode_t) throws(Refusal) {
    let path = path
    let ownPath = ownPath
    try refusing { () throws(SystemCallError) in _ = try check("chmod", on: path) { chmod(ownPath, mode & 0o777) } }
  }

  /// Whether it is what stands at its path.
  public var isInPlace: Bool { isAt(name) }

  func isAt(_ name: String) -> Bool {
    var facts = stat()
    guard fstatat(directory.number, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
    return isThis(facts)
  }

  func isThis(_ facts: stat) -> Bool { facts.st_dev == device && facts.st_ino == inode }

  mutating func isNow(at path: String, _ name: String) {
    self.path = path
    self.name = name
  }

  /// A failure on the path that the caller knows.
  static func named<Result: ~Copyable>(_ path: String, _ body: () throws(SystemCallError) -> Result)
    throws(SystemCallError)
    -> Result
  {
    do throws(SystemCallError) { return try body() } catch {
      throw SystemCallError(error.call, on: path, code: error.code)
    }
  }

  private static func safeDirectory(of path: String) throws(Refusal) -> Descriptor {
    let parent = ParentDirectory.path(of: path)
    let danger = try refusing { () throws(SystemCallError) in try UnsafeDirectory.find(on: parent) }
    if let danger { throw .unsafeDirectory(path, danger) }
    return try refusing { () throws(SystemCallError) in try Descriptor.open(parent, O_RDONLY | O_DIRECTORY) }
  }
}

/// O_PATH, asm-generic/fcntl.h
private let pathOnly: CInt = 0x20_0000
