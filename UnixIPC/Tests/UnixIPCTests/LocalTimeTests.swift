import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct LocalTimeTests {
  private static let instants: [Int64] = [
    0, 1, -1, 863_967_646, 951_782_400, 1_234_567_890, 1_792_000_000, 2_147_483_648, -2_208_988_800, -6_000_000_000,
    253_402_300_799, 4_102_444_800,
  ]

  @Test("is written as perl and date write it, in the zone of the machine")
  func isWrittenAsOthersWriteIt() throws {
    for instant in Self.instants {
      let time = try #require(LocalTime(secondsSince1970: instant))
      #expect(try "\(time)\n" == Tool.perl("print scalar localtime($ARGV[0]), qq(\\n)", "--", String(instant)).run())
      #expect(try time.iso8601 + "\n" == Tool("/bin/date", "-d", "@\(instant)", "+%Y-%m-%dT%H:%M:%S%:z").run())
    }
  }

  @Test(
    "is written as others write it in other zones", arguments: ["Asia/Kolkata", "America/St_Johns", "XYZ+12:34:56"])
  func knowsOtherZones(zone: String) throws { try ProbeProgram.check("local-time", zone) }

  @Test("is nil where the year does not fit, and no crash anywhere")
  func refusesTheFarthest() throws {
    for instant in [Int64.min, .min + 1, .max, .max - 1, 1 << 60, -(1 << 60)] {
      #expect(LocalTime(secondsSince1970: instant) == nil)
    }
    let last = try #require(LocalTime(secondsSince1970: 67_768_036_191_000_000))
    #expect("\(last)".hasSuffix(" 2147485547") && last.iso8601.hasPrefix("+2147485547-"))
    let first = try #require(LocalTime(secondsSince1970: -67_768_040_609_600_000))
    #expect("\(first)".hasSuffix(" -2147481748") && first.iso8601.hasPrefix("-2147481748-"))
    let ancient = try #require(LocalTime(secondsSince1970: -62_170_000_000))
    #expect(ancient.year == -1 && ancient.iso8601.hasPrefix("-000001-"))
    #expect(LocalTime(secondsSince1970: -62_160_000_000)?.iso8601.hasPrefix("0000-") == true)
  }

  @Test("is now")
  func isNow() {
    let before = SystemClock.wall() / 1_000_000_000
    let now = LocalTime.now
    let after = SystemClock.wall() / 1_000_000_000
    #expect((before...after).contains { LocalTime(secondsSince1970: $0) == now })
  }
}
