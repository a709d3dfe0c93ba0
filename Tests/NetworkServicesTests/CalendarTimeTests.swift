import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite struct CalendarTimeTests {
  private func shown(_ seconds: Int64) -> String {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
      var text = ByteWriter(room)
      CalendarTime.append(seconds, to: &text)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  /// The C library's own words, in the zone of whoever runs the tests.
  private func expected(_ seconds: Int64) -> String? {
    var time = time_t(seconds)
    var room = [CChar](repeating: 0, count: 64)
    guard ctime_r(&time, &room) != nil else { return nil }
    return String(decoding: room.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init), as: UTF8.self)
  }

  @Test(
    "is what ctime(3) says",
    arguments: [
      0, -1, 1, 863_618_446, 951_782_400, 951_868_800, 2_147_483_647, 2_147_483_648, 2_085_978_496, 4_102_444_800,
      -2_208_988_800, 253_370_764_800, 1_700_000_000,
    ])
  func isCtime(seconds: Int64) throws {
    #expect(shown(seconds) == (try #require(expected(seconds))))
    #expect(shown(seconds).utf8.count == 24)
  }

  @Test("is what ctime(3) says at any time of four-digit years")
  func isCtimeAnyTime() throws {
    var random = SeededRandom(state: 1)
    for _ in 0..<5000 {
      let seconds = Int64.random(in: -30_000_000_000...253_000_000_000, using: &random)
      #expect(shown(seconds) == (try #require(expected(seconds))), "\(seconds)")
    }
  }

  @Test("says so when the year has no number", arguments: [Int64.min, .max])
  func saysSo(seconds: Int64) { #expect(shown(seconds) == "(time out of range)") }

  @Test("goes on after the year 9999")
  func goesOn() { #expect(shown(400_000_000_000).hasSuffix(" 14645")) }
}
