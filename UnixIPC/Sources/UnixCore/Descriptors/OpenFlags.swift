import Glibc

/// How a file is opened: for reading, writing or both, and with which further conditions.
///
/// One of `readOnly`, `writeOnly` and `readWrite` is needed, unless it is `path` or a `temporaryFile`'s `writeOnly` or
/// `readWrite`.  Files are always opened close-on-exec and never as the controlling terminal.
///
///     let log = try Descriptor.open("/var/log/mine", [.writeOnly, .create, .append], mode: 0o640)
///
/// Source: open(2).
public struct OpenFlags: OptionSet, Hashable, Sendable {
  /// The flags as open(2) takes them.
  public let rawValue: CInt

  /// Creates flags from those of open(2), for one that has no name here.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// For reading only (`O_RDONLY`, which is 0: it is what the other two are not).
  public static let readOnly = OpenFlags(rawValue: O_RDONLY)
  /// For writing only (`O_WRONLY`).
  public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
  /// For reading and writing (`O_RDWR`).
  public static let readWrite = OpenFlags(rawValue: O_RDWR)
  /// Creates a regular file if there is none (`O_CREAT`).
  public static let create = OpenFlags(rawValue: O_CREAT)
  /// With `create`: fails with `EEXIST` if there is a file or a link already (`O_EXCL`).
  public static let exclusive = OpenFlags(rawValue: O_EXCL)
  /// Empties a regular file (`O_TRUNC`).
  public static let truncate = OpenFlags(rawValue: O_TRUNC)
  /// Writes always at the end, wherever that is at the moment of the write (`O_APPEND`).
  public static let append = OpenFlags(rawValue: O_APPEND)
  /// Fails with `ELOOP` if the last part of the path is a symbolic link (`O_NOFOLLOW`).
  public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
  /// Fails with `ENOTDIR` if it is no directory (`O_DIRECTORY`).
  public static let directory = OpenFlags(rawValue: O_DIRECTORY)
  /// Neither opening nor, later, reading and writing waits (`O_NONBLOCK`).
  public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
  /// Each write returns when the data is on the disk (`O_SYNC`).
  public static let synchronous = OpenFlags(rawValue: O_SYNC)
  /// Opens the place, not the file: for `open(beneath:)`, fstat(2) and the like, without permission to read or write
  /// (`O_PATH`).
  public static let path = OpenFlags(rawValue: 0x20_0000)
  /// Creates a file without a name in the directory that the path names; with `writeOnly` or `readWrite`
  /// (`O_TMPFILE`).
  public static let temporaryFile = OpenFlags(rawValue: 0x40_0000 | O_DIRECTORY)
}
