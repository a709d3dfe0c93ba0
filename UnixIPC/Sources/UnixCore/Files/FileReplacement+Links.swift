import Glibc

/// What a symbolic link stands for.
extension FileReplacement {
  /// Where a link leads, which must be there; the path itself where there is none.
  ///
  /// realpath(3) would go through a link that somebody laid into /tmp for others to fall over, because only who opens a
  /// file is kept from that, and only where fs.protected_symlinks is set.
  ///
  /// Source: proc_sys_fs(5), protected_symlinks.
  static func followed(_ path: String) throws(SystemCallError) -> String {
    var place = path
    // As many as the kernel follows.
    for _ in 0...40 {
      var facts = stat()
      guard lstat(place, &facts) == 0 else {
        if place == path { return path }
        throw SystemCallError("open", on: path, code: ErrorCode.current)
      }
      guard facts.st_mode & S_IFMT == S_IFLNK else { return place }
      let folder = ParentDirectory.path(of: place)
      guard isTrusted(facts, in: folder) else { throw SystemCallError("open", on: path, code: .permissionDenied) }
      let target = try text(of: place, named: path)
      place = target.utf8.first == UInt8(ascii: "/") ? target : "\(folder)/\(target)"
    }
    throw SystemCallError("open", on: path, code: ErrorCode(rawValue: ELOOP))
  }

  private static func isTrusted(_ link: stat, in folder: String) -> Bool {
    var directory = stat()
    guard fstatat(AT_FDCWD, folder, &directory, 0) == 0 else { return false }
    let everybodys = S_ISVTX | S_IWOTH
    return directory.st_mode & everybodys != everybodys || link.st_uid == geteuid() || link.st_uid == directory.st_uid
  }

  private static func text(of link: String, named path: String) throws(SystemCallError) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try check("readlink", on: path) { readlink(link, &bytes, bytes.count) }
    guard let text = String(validating: bytes[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
      throw SystemCallError("readlink", on: path, code: ErrorCode(rawValue: EILSEQ))
    }
    return text
  }
}
