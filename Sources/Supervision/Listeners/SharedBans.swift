import Admission
@_spi(Begat) import UnixCore

/// The networks that are banned: begatd writes them, listeners read them.
final class SharedBans {
  var table: BanTable
  /// Tells it from the table of a former begatd.
  let number: UInt64

  /// - Parameter bans: those that are in force already.
  init(_ bans: [Ban] = [], number: UInt64 = 1) throws(SystemCallError) {
    self.number = number
    table = try BanTable()
    for ban in bans { _ = table.add(ban) }
    // Listeners map it for reading and close the descriptor; where Linux is older than 5.1 this alone keeps them from
    // writing.
    try? MemoryFile.makeReadOnly(table.object)
  }
}
