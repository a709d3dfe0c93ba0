import Glibc

/// Why names in a directory are not safe: another user may replace them, there or on the way to it.
///
/// A program that binds, changes or removes a file by its path may do so to another file than it meant if another user
/// can swap a name of that path meanwhile.
///
/// Source: path_resolution(7), inode(7).
public struct UnsafeDirectory: Hashable, Sendable, CustomStringConvertible {
  /// What makes it unsafe.
  public enum Reason: Hashable, Sendable {
    /// Another user owns the directory.
    case ownedByAnother(uid_t)
    /// Its group may write to it, and it has no sticky bit.
    case writableByGroup
    /// Everyone may write to it, and it has no sticky bit.
    case writableByAll
    /// A symbolic link of another user, who may point it elsewhere.
    case linkOfAnother(uid_t)
  }

  /// The directory or link that is unsafe, perhaps an ancestor of the one that was looked at.
  public let path: UnixPath
  /// What makes it unsafe.
  public let reason: Reason

  /// The reason and what to do about it.
  public var description: String {
    switch reason {
    case .ownedByAnother(let user):
      "directory \(path) belongs to user \(user), who may replace files there; "
        + "use a directory of root's or of user \(geteuid())'s"
    case .writableByGroup:
      "the group of directory \(path) may replace files there; use chmod g-w, set its sticky bit or use another directory"
    case .writableByAll:
      "anybody may replace files in directory \(path); use chmod o-w, set its sticky bit or use another directory"
    case .linkOfAnother(let user):
      "the symbolic link \(path) belongs to user \(user), who may change it; use the path it leads to"
    }
  }

  /// Looks at a directory and all directories and links on the way to it, up to `/`.
  ///
  /// If the answer is nil, only root, this user and the owner of `/` can change what the path means, so it can be used
  /// later without a race.  Each name is looked at only after those before it were found safe.
  ///
  /// - Returns: the first reason; nil for a safe directory.
  /// - Throws: `ENOENT`, `ENOTDIR` or `ELOOP` for a path that leads to no directory, `EINVAL` for one with a NUL.
  public static func find(on path: UnixPath) throws(SystemCallError) -> UnsafeDirectory? {
    var walk = try Walk(path)
    return try walk.run()
  }

  /// Looks at a directory at a path that is text, and at all directories and links on the way to it.
  public static func find(on path: String) throws(SystemCallError) -> UnsafeDirectory? {
    try find(on: UnixPath(path))
  }

  /// The way from `/`, name by name.
  private struct Walk {
    private var place: UnixPath = "/"
    private var names: [UnixPath]
    private var links = 0
    /// In a user namespace the outer root has no number of its own, and still owns `/`.
    private let trusted: [uid_t]

    init(_ path: UnixPath) throws(SystemCallError) {
      let whole = path.isAbsolute ? path : "\(try Walk.currentDirectory())/\(path)"
      names = Walk.names(of: whole)
      trusted = [0, geteuid(), try FileMetadata(at: "/" as UnixPath).native.st_uid]
    }

    mutating func run() throws(SystemCallError) -> UnsafeDirectory? {
      if let reason = danger(try Walk.metadata("/").native) { return UnsafeDirectory(path: "/", reason: reason) }
      while let name = names.popLast() {
        if name == ".." {
          place = place.parent
          continue
        }
        let next = place.entry(name)
        let metadata = try Walk.metadata(next)
        switch metadata.kind {
        case S_IFLNK:
          guard trusted.contains(metadata.native.st_uid) else {
            return UnsafeDirectory(path: next, reason: .linkOfAnother(metadata.native.st_uid))
          }
          try follow(next)
        case S_IFDIR:
          if let reason = danger(metadata.native) { return UnsafeDirectory(path: next, reason: reason) }
          place = next
        default: throw SystemCallError("open", on: next.description, code: ErrorCode.notDirectory)
        }
      }
      return nil
    }

    private mutating func follow(_ link: UnixPath) throws(SystemCallError) {
      links += 1
      // As many as the kernel follows.
      guard links <= 40 else {
        throw SystemCallError("open", on: link.description, code: ErrorCode.tooManySymbolicLinkLevels)
      }
      let target = try SymbolicLink.target(of: link)
      if target.isAbsolute { place = "/" }
      names += Walk.names(of: target)
    }

    private func danger(_ metadata: stat) -> Reason? {
      guard trusted.contains(metadata.st_uid) else { return .ownedByAnother(metadata.st_uid) }
      guard metadata.st_mode & S_ISVTX == 0 else { return nil }
      if metadata.st_mode & S_IWOTH != 0 { return .writableByAll }
      return metadata.st_mode & S_IWGRP != 0 ? .writableByGroup : nil
    }

    /// Last name first.
    private static func names(of path: UnixPath) -> [UnixPath] {
      path.bytes.split(separator: UInt8(ascii: "/")).map { UnixPath(bytes: $0) }.filter { $0 != "." }.reversed()
    }

    private static func metadata(_ path: UnixPath) throws(SystemCallError) -> FileMetadata {
      do throws(SystemCallError) { return try FileMetadata(at: path) } catch {
        throw SystemCallError("open", on: error.object, code: error.code)
      }
    }

    private static func currentDirectory() throws(SystemCallError) -> UnixPath {
      guard let path = getcwd(nil, 0) else { throw SystemCallError("getcwd", code: .current) }
      defer { free(path) }
      return UnixPath(cString: path)
    }
  }
}
