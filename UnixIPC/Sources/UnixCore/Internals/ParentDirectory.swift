import Glibc

/// The directory in which a path's last name stands.
package enum ParentDirectory {
  package static func path(of path: String) -> String {
    lastSlash(of: path).map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// The last name itself.
  package static func lastName(of path: String) -> String {
    lastSlash(of: path).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// A byte: with an accent after it, a slash is another character, and no less a slash.
  private static func lastSlash(of path: String) -> String.Index? { path.utf8.lastIndex(of: UInt8(ascii: "/")) }

  /// The beginning of a name, in whole characters of UTF-8, for names that are made from it: 255 bytes is the most that
  /// file systems take.
  static func beginning(of name: String, bytes most: Int) -> String {
    var size = 0
    return String(
      name.unicodeScalars.prefix {
        size += UTF8.width($0)
        return size <= most
      })
  }

  /// A name for a file that is to take another name's place.  It cannot be guessed, so that no file can wait there.
  package static func temporaryName(for name: String) -> String {
    ".\(beginning(of: name, bytes: 200)).\(String(UInt64.random(in: .min ... .max), radix: 16))"
  }
}
