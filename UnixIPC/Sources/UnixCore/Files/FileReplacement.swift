import CPlatform
import Glibc

/// A file's new contents, written out of sight and put in its place whole.
///
/// Until `commit` the old file is there, untouched; it stays if this value is discarded or the process dies.  On a file
/// system with `O_TMPFILE` nothing is left behind then, not even by `kill -9`.
///
///     let file = try FileReplacement(of: path)
///     try file.contents.writeAll(bytes)
///     try file.commit()
///
/// The new file gets the old one's permissions without set-id bits, its access control list, its owner if this process
/// may give files away, as root may, and its group if this process may set that.  A user who replaces another user's file
/// becomes its owner, as with `sed -i`.  If group or list cannot be kept, the group gets no more access than others.
/// Other extended attributes and file capabilities are not kept.
///
/// Other hard links to the old file keep the old contents.  Nothing is forced to the disk: call fsync(2) on `contents`
/// before `commit` if the contents must survive a crash of the machine.
///
/// Source: open(2), linkat(2), rename(2).
public struct FileReplacement: ~Copyable {
  /// The new file, open for writing and empty at first.
  public let contents: Descriptor
  private let path: UnixPath
  private let directory: Descriptor
  private let name: UnixPath
  /// The file's name in the directory; nil while it has none.
  private var temporaryName: UnixPath?

  /// Makes an empty file beside the old one.
  ///
  /// A symbolic link stays, and the file that it leads to is replaced; that file must exist.  A link in a sticky
  /// directory that everyone may write to, such as /tmp, is followed only if it belongs to this user or to the
  /// directory's owner.
  ///
  /// - Parameter path: the file to replace; it need not exist.
  /// - Parameter mode: permissions of a file that did not exist, before the umask.
  /// - Throws: `EACCES` for an old file that may not be written and for a link that is not followed; `EINVAL` if there is
  ///   no regular file but something else, and for a path with a NUL.
  public init(of path: UnixPath, mode: mode_t = 0o666) throws(SystemCallError) {
    try self.init(of: path, mode: mode, isNamedImmediately: false)
  }

  /// Makes an empty file beside the old one at a path that is text.
  public init(of path: String, mode: mode_t = 0o666) throws(SystemCallError) {
    try self.init(of: UnixPath(path), mode: mode)
  }

  /// - Parameter isNamedImmediately: always so on a file system that has no files without a name.
  init(of path: UnixPath, mode: mode_t, isNamedImmediately: Bool) throws(SystemCallError) {
    let real = try Self.followed(path)
    let old = try Self.metadata(of: real, named: path)
    let folder = real.parent
    let name = real.lastName
    var temporaryName = isNamedImmediately ? name.temporaryName : nil
    let directory = try Self.naming(path) { () throws(SystemCallError) in
      try Descriptor.open(folder, [.readOnly, .directory])
    }
    // Before it has its owner and group, no other user may open it.
    let contents = try Self.naming(path) { () throws(SystemCallError) in
      try Self.create(in: folder, for: name, mode: old.map { $0.st_mode & 0o700 } ?? mode, &temporaryName)
    }
    if let old { Self.give(contents, rightsOf: real, old) }
    self.contents = contents
    self.path = path
    self.directory = directory
    self.name = name
    self.temporaryName = temporaryName
  }

  /// Nil where there is no file yet.
  private static func metadata(of real: UnixPath, named path: UnixPath) throws(SystemCallError) -> stat? {
    guard let metadata = try? FileMetadata(at: real) else { return nil }
    guard metadata.kind == S_IFREG else {
      throw SystemCallError("open", on: path.description, code: .invalidArgument)
    }
    do throws(SystemCallError) {
      _ = try check("faccessat", path: real) { faccessat(AT_FDCWD, $0, W_OK, AT_EACCESS) }
    } catch { throw SystemCallError("open", on: path.description, code: error.code) }
    return metadata.native
  }

  /// Reports a failure to open on the path that the caller knows.
  private static func naming(
    _ path: UnixPath, _ body: () throws(SystemCallError) -> Descriptor
  ) throws(SystemCallError) -> Descriptor {
    do throws(SystemCallError) { return try body() } catch {
      throw SystemCallError("open", on: path.description, code: error.code)
    }
  }

  private static func create(
    in folder: UnixPath, for name: UnixPath, mode: mode_t, _ temporaryName: inout UnixPath?
  ) throws(SystemCallError) -> Descriptor {
    // linux/fcntl.h's O_TMPFILE, which the importer does not know.
    if temporaryName == nil,
      let file = try? Descriptor.open(folder, [.temporaryFile, .writeOnly], mode: mode)
    {
      return file
    }
    let chosen = temporaryName ?? name.temporaryName
    temporaryName = chosen
    return try Descriptor.open(folder.entry(chosen), [.create, .exclusive, .writeOnly], mode: mode)
  }

  deinit {
    guard let temporaryName else { return }
    let number = directory.number
    _ = try? check("unlinkat", path: temporaryName) { unlinkat(number, $0, 0) }
  }

  /// Puts the new file in the place of the old one.
  ///
  /// Source: linkat(2), rename(2).
  public consuming func commit() throws(SystemCallError) {
    let number = directory.number
    let path = path
    do throws(SystemCallError) {
      // What NFS or a quota has refused shows when any descriptor is closed: before the old file is gone, then.
      try contents.duplicate().close()
      let source = if let temporaryName { temporaryName } else { try linked() }
      temporaryName = source
      _ = try source.withCPath("rename") { (source) throws(SystemCallError) in
        try check("rename", path: name) { renameat(number, source, number, $0) }
      }
    } catch { throw SystemCallError(error.call, on: path.description, code: error.code) }
    temporaryName = nil
  }

  /// Gives the file a name.
  private borrowing func linked() throws(SystemCallError) -> UnixPath {
    let chosen = name.temporaryName
    let (file, folder) = (contents.number, directory.number)
    _ = try check("linkat", path: chosen) {
      linkat(AT_FDCWD, "/proc/self/fd/\(file)", folder, $0, AT_SYMLINK_FOLLOW)
    }
    return chosen
  }
}
