import Glibc
@_spi(Begat) import UnixCore

/// What services must reply, made here from their RFCs and not from their code.
enum Expected {
  /// ctime(3)'s text of a time in UTC, without an end of line.
  static func text(_ seconds: Int64) -> String {
    var seconds = time_t(seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { room in
      strftime(room.baseAddress!, room.count, "%a %b %e %H:%M:%S %Y", &parts)
      return String(cString: room.baseAddress!)
    }
  }

  /// Whether a text shows the present time, give or take what a test takes.
  static func isNow(_ text: String) -> Bool {
    let now = SystemClock.wall() / 1_000_000_000
    return (now - 10...now + 1).contains { Expected.text($0) == text }
  }

  /// Whether these are RFC 867's text of the present time and CRLF.
  static func isDaytime(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    return bytes.count == 26 && text.hasSuffix("\r\n")
      && isNow(String(text.unicodeScalars.dropLast(2).map(Character.init)))
  }

  /// Whether these are RFC 868's four bytes of the present time.
  static func isTime(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 4 else { return false }
    let seconds = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let now = UInt32(truncatingIfNeeded: SystemClock.wall() / 1_000_000_000 + 2_208_988_800)
    return (now &- seconds) <= 10 || (seconds &- now) <= 1
  }

  /// The beginning of RFC 864's pattern.
  static func pattern(_ count: Int) -> [UInt8] {
    let ring = (0x20...0x7e).map { UInt8($0) }
    var bytes: [UInt8] = []
    var line = 0
    while bytes.count < count {
      bytes += (0..<72).map { ring[(line + $0) % ring.count] } + [13, 10]
      line += 1
    }
    return Array(bytes.prefix(count))
  }

  /// The one fortune of the tests' own database, as a file has it and as the network does.
  static let fortune = "A fork in the road:\n\tone process per traveller.\n"
  static let networkFortune = "A fork in the road:\r\n\tone process per traveller.\r\n"

  static let banner = "Welcome to begat; type help for command list.\r\n"
  static let prompt = "Command? "
  static let help = "Commands: quit date who cookie motd\r\n"
}
