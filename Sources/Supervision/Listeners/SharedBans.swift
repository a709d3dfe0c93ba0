import Admission
@_spi(Begat) import UnixCore

/// The networks that are banned: begatd writes them, listeners read them.
final class SharedBans {
  var table: BanTable

  init() throws(SystemCallError) {
    table = try BanTable()
    // Listeners map it for reading and close the descriptor; where Linux is older than 5.1 this alone keeps them from
    // writing.
    try? MemoryFile.makeReadOnly(table.object)
  }
}
