import Glibc

/// Reads symbolic links.
///
/// Source: readlink(2).
enum SymbolicLink {
  /// The path that a link contains, whatever is there.
  static func target(of link: UnixPath) throws(SystemCallError) -> UnixPath {
    var room = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = try check("readlink", path: link) { link in
      room.withUnsafeMutableBytes { readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
    }
    return UnixPath(bytes: room[..<count])
  }
}
