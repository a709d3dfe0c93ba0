import Glibc

/// Following symbolic links to the file that is replaced.
extension FileReplacement {
  /// The file that a link leads to, which must exist; the path itself if it is no link.
  ///
  /// realpath(3) would follow a link that another user has put into /tmp as a trap: the kernel refuses those to open(2)
  /// alone, and only where fs.protected_symlinks is set.
  ///
  /// Source: proc_sys_fs(5), protected_symlinks.
  static func followed(_ path: UnixPath) throws(SystemCallError) -> UnixPath {
    var place = path
    // As many as the kernel follows.
    for _ in 0...40 {
      let metadata: FileMetadata
      do throws(SystemCallError) { metadata = try FileMetadata(at: place) } catch {
        if place == path, error.code != .invalidArgument { return path }
        throw SystemCallError("open", on: path.description, code: error.code)
      }
      guard metadata.kind == S_IFLNK else { return place }
      let folder = place.parent
      guard isTrusted(metadata.native, in: folder) else {
        throw SystemCallError("open", on: path.description, code: .permissionDenied)
      }
      let target = try SymbolicLink.target(of: place)
      place = target.isAbsolute ? target : "\(folder)/\(target)"
    }
    throw SystemCallError("open", on: path.description, code: ErrorCode.tooManySymbolicLinkLevels)
  }

  private static func isTrusted(_ link: stat, in folder: UnixPath) -> Bool {
    guard let directory = try? FileMetadata(at: folder, followingLinks: true).native else { return false }
    let stickyForAll = S_ISVTX | S_IWOTH
    return directory.st_mode & stickyForAll != stickyForAll || link.st_uid == geteuid()
      || link.st_uid == directory.st_uid
  }
}
