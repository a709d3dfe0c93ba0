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
    case ownedByAnother(uid_t)
    /// Its group may write to it, and it has no sticky bit.
    case writableByGroup
    /// Everyone may write to it, and it has no sticky bit.
    case writableByAll
    /// A symbolic link of another user, who may point it elsewhere.
    case linkOfAnother(uid_t)
  }

  /// The directory or link that is the reason, an ancestor perhaps.
  public let path: String
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
  /// - Throws: `ENOENT`, `ENOTDIR` or `ELOOP` for a path that leads to no directory.
  public static func find(on path: String) throws(SystemCallError) -> UnsafeDirectory? {
    var walk = try Walk(path)
    return try walk.run()
  }

  /// The way from `/`, name by name.
  private struct Walk {
    private var place = "/"
    private var names: [Substring]
    private var links = 0
    /// In a user namespace the outer root is nobody known, and still owns `/`.
    private let trusted: [uid_t]

    init(_ path: String) throws(SystemCallError) {
      let whole = path.utf8.first == UInt8(ascii: "/") ? path : "\(try Walk.currentDirectory())/\(path)"
      names = Walk.names(of: whole)
      trusted = [0, geteuid(), try Walk.facts("/").st_uid]
    }

    mutating func run() throws(SystemCallError) -> UnsafeDirectory? {
      if let reason = danger(try Walk.facts("/")) { return UnsafeDirectory(path: "/", reason: reason) }
      while let name = names.popLast() {
        if name == ".." {
          place = ParentDirectory.path(of: place)
          continue
        }
        let next = place == "/" ? "/\(name)" : "\(place)/\(name)"
        let facts = try Walk.facts(next)
        switch facts.st_mode & S_IFMT {
        case S_IFLNK:
          guard trusted.contains(facts.st_uid) else {
            return UnsafeDirectory(path: next, reason: .linkOfAnother(facts.st_uid))
          }
          try follow(next)
        case S_IFDIR:
          if let reason = danger(facts) { return UnsafeDirectory(path: next, reason: reason) }
          place = next
        default: throw SystemCallError("open", on: next, code: ErrorCode(rawValue: ENOTDIR))
        }
      }
      return nil
    }

    private mutating func follow(_ link: String) throws(SystemCallError) {
      links += 1
      // As many as the kernel follows.
      guard links <= 40 else { throw SystemCallError("open", on: link, code: ErrorCode(rawValue: ELOOP)) }
      let target = try Walk.target(of: link)
      if target.utf8.first == UInt8(ascii: "/") { place = "/" }
      names += Walk.names(of: target)
    }

    private func danger(_ facts: stat) -> Reason? {
      guard trusted.contains(facts.st_uid) else { return .ownedByAnother(facts.st_uid) }
      guard facts.st_mode & S_ISVTX == 0 else { return nil }
      if facts.st_mode & S_IWOTH != 0 { return .writableByAll }
      return facts.st_mode & S_IWGRP != 0 ? .writableByGroup : nil
    }

    /// Last name first.
    private static func names(of path: String) -> [Substring] {
      path.unicodeScalars.split(separator: "/").map(Substring.init).filter { $0 != "." }.reversed()
    }

    private static func facts(_ path: String) throws(SystemCallError) -> stat {
      var facts = stat()
      _ = try check("open", on: path) { lstat(path, &facts) }
      return facts
    }

    private static func target(of link: String) throws(SystemCallError) -> String {
      var room = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let count = try check("readlink", on: link) {
        room.withUnsafeMutableBytes { readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
      }
      return String(decoding: room[..<count], as: UTF8.self)
    }

    private static func currentDirectory() throws(SystemCallError) -> String {
      guard let path = getcwd(nil, 0) else { throw SystemCallError("getcwd", code: .current) }
      defer { free(path) }
      return String(cString: path)
    }
  }
}
