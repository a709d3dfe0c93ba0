import Admission
@_spi(Begat) import UnixCore

/// The networks that are banned: begatd writes them, listeners read them.
final class SharedBans {
  var table: BanTable

  init() throws(SystemCallError) { table = try BanTable() }
}
