import Glibc
@_spi(Begat) import UnixCore

/// Looks up entries of the system's databases, in any thread.
///
/// Source: getpwnam_r(3), getservbyname_r(3).
enum DatabaseEntry {
  /// Runs a lookup with room for the entry's texts, and with more room as long as that is too small.
  ///
  /// - Parameter entry: room for the entry itself.
  /// - Parameter call: returns 0, or an error number such as `ERANGE`.
  /// - Parameter read: copies what is wanted from the entry, whose texts are in the room.
  /// - Returns: nil if there is no such entry.
  static func find<Entry, Result>(
    _ entry: Entry,
    _ call: (inout Entry, UnsafeMutablePointer<CChar>, Int, inout UnsafeMutablePointer<Entry>?) -> CInt,
    _ read: (Entry) -> Result
  ) -> Result? {
    var entry = entry
    var size = 1024
    // More than any entry has; bounded, whatever serves them.
    while size <= 1 << 20 {
      let (code, result) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { room in
        var found: UnsafeMutablePointer<Entry>?
        let code = call(&entry, room.baseAddress!, room.count, &found)
        return (code, found.map { read($0.pointee) })
      }
      if code != ERANGE { return result }
      size *= 4
    }
    return nil
  }

  /// The same for an entry that a name finds; nil for a name with a NUL, which is the name of nothing.
  static func find<Entry, Result>(
    _ entry: Entry, named name: String, _ call: String,
    _ find:
      (UnsafePointer<CChar>, inout Entry, UnsafeMutablePointer<CChar>, Int, inout UnsafeMutablePointer<Entry>?) -> CInt,
    _ read: (Entry) -> Result
  ) -> Result? {
    try? name.withCText(call) { (name) throws(SystemCallError) in
      DatabaseEntry.find(entry, { find(name, &$0, $1, $2, &$3) }, read)
    }
  }
}
