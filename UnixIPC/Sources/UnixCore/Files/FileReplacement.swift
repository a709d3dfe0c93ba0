import CPlatform
import Glibc

/// A file's new contents, written out of sight and put in its place whole.
///
/// Until `commit` the old file is there, untouched, and stays where this value is let go of or the process dies.  Where
/// the file system can (`O_TMPFILE`) nothing is left behind then, not even by `kill -9`.
///
///     let file = try FileReplacement(of: path)
///     try file.contents.writeAll(bytes)
///     try file.commit()
///
/// The new file has the old one's permissions, but for set-id bits; its access control list; its owner where this process
/// may give files away, which is root's; and its group where this process may give that.  A user who replaces another's
/// file becomes its owner, as with `sed -i`.  Where the group cannot be kept, nor the list, the group is given no more
/// than others have.  Other extended attributes and file capabilities are not kept.
///
/// Other hard links to the old file keep the old contents.  Nothing is forced to the disk: call fsync(2) on `contents`
/// before `commit` where the contents must survive the machine.
///
/// Source: open(2), linkat(2), rename(2).
public struct FileReplacement: ~Copyable {
  /// Open for writing, at first empty.
  public let contents: Descriptor
  private let path: String
  private let directory: Descriptor
  private let name: String
  /// In the directory; empty while the file has no name.
  private var temporaryName: String

  /// Makes an empty file beside the old one.
  ///
  /// A symbolic link stays and stands for the file that it leads to, which must exist.  One in a sticky directory that
  /// all may write to, such as /tmp, is followed only if it is this user's or the directory's owner's.
  ///
  /// - Parameter mode: permissions of a file that was not there, before the umask.
  /// - Throws: `EACCES` for an old file that may not be written and a link that is not followed, `EINVAL` for what is no
  ///   regular file, `EILSEQ` where a link's text is not UTF-8.
  public init(of path: String, mode: mode_t = 0o666) throws(SystemCallError) {
    try self.init(of: path, mode: mode, hasNameAtOnce: false)
  }

  /// - Parameter hasNameAtOnce: as it is in any case where the file system knows no files without a name.
  init(of path: String, mode: mode_t, hasNameAtOnce: Bool) throws(SystemCallError) {
    let real = try Self.followed(path)
    let old = try Self.facts(of: real, named: path)
    let folder = ParentDirectory.path(of: real)
    let name = ParentDirectory.lastName(of: real)
    let directory = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
    var temporaryName = hasNameAtOnce ? ParentDirectory.temporaryName(for: name) : ""
    // Before it has its owner and group, nobody else may open it.
    let contents = try Self.create(in: folder, for: name, mode: old.map { $0.st_mode & 0o700 } ?? mode, &temporaryName)
    if let old { Self.give(contents, rightsOf: real, old) }
    self.contents = contents
    self.path = path
    self.directory = directory
    self.name = name
    self.temporaryName = temporaryName
  }

  /// Nil where there is no file yet.
  private static func facts(of real: String, named path: String) throws(SystemCallError) -> stat? {
    var facts = stat()
    guard fstatat(AT_FDCWD, real, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw SystemCallError("open", on: path, code: .invalidArgument) }
    _ = try check("open", on: path) { faccessat(AT_FDCWD, real, W_OK, AT_EACCESS) }
    return facts
  }

  private static func create(
    in folder: String, for name: String, mode: mode_t, _ temporaryName: inout String
  ) throws(SystemCallError) -> Descriptor {
    if temporaryName.isEmpty {
      // linux/fcntl.h's O_TMPFILE, which the importer does not know.
      if let file = try? Descriptor.open(folder, 0o20_000_000 | O_DIRECTORY | O_WRONLY, mode: mode) { return file }
      temporaryName = ParentDirectory.temporaryName(for: name)
    }
    return try Descriptor.open("\(folder)/\(temporaryName)", O_CREAT | O_EXCL | O_WRONLY, mode: mode)
  }

  deinit {
    if !temporaryName.isEmpty { unlinkat(directory.number, temporaryName, 0) }
  }

  /// Puts the file in its place.
  public consuming func commit() throws(SystemCallError) {
    if temporaryName.isEmpty {
      let name = ParentDirectory.temporaryName(for: name)
      _ = try check("linkat", on: path) {
        linkat(AT_FDCWD, "/proc/self/fd/\(contents.number)", directory.number, name, AT_SYMLINK_FOLLOW)
      }
      temporaryName = name
    }
    _ = try check("rename", on: path) { renameat(directory.number, temporaryName, directory.number, name) }
    temporaryName = ""
  }
}
