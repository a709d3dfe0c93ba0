import Glibc

/// A date and a time of day in the machine's time zone.
///
/// Its texts are always English and do not depend on the locale:
///
/// ```swift
/// print(LocalTime.now)             // Sat Nov 27 15:10:42 2026
/// print(LocalTime.now.iso8601)     // 2026-11-27T15:10:42+01:00
/// ```
///
/// The time zone is read at the first use, from the variable `TZ` or /etc/localtime, and not again.
///
/// Source: localtime(3), ctime(3), ISO 8601.
public struct LocalTime: Hashable, Sendable {
  /// The year of the Gregorian calendar; the year 0 precedes 1, and is preceded by -1.
  public let year: Int
  /// The month, from 1 to 12.
  public let month: Int
  /// The day of the month, from 1 to 31.
  public let day: Int
  /// The day of the week, from 0 for Sunday to 6.
  public let weekday: Int
  /// The hour, from 0 to 23.
  public let hour: Int
  /// The minute, from 0 to 59.
  public let minute: Int
  /// The second, from 0 to 60: 60 is a leap second.
  public let second: Int
  /// The seconds by which local time is ahead of UTC; negative west of Greenwich.
  public let offsetFromUTC: Int

  /// Converts an instant to local time.
  ///
  /// - Parameter seconds: seconds since 1970-01-01 00:00 UTC, negative before.
  /// - Returns: nil for an instant whose year does not fit into the C library's `struct tm`, some two thousand million
  ///   years away.
  public init?(secondsSince1970 seconds: Int64) {
    var instant = time_t(seconds)
    var parts = tm()
    guard localtime_r(&instant, &parts) != nil else { return nil }
    year = Int(parts.tm_year) + 1900
    month = Int(parts.tm_mon) + 1
    day = Int(parts.tm_mday)
    weekday = Int(parts.tm_wday)
    hour = Int(parts.tm_hour)
    minute = Int(parts.tm_min)
    second = Int(parts.tm_sec)
    offsetFromUTC = parts.tm_gmtoff
  }

  /// The present time.
  public static var now: LocalTime {
    // No clock can be set so far that its year does not fit.
    LocalTime(secondsSince1970: SystemClock.wall() / 1_000_000_000)!
  }

  /// The time in the form of ISO 8601 with the offset from UTC, such as "2026-11-27T15:10:42+01:00".
  ///
  /// A year before 0 or after 9999 has a sign and at least six digits.  An offset that is no whole number of minutes, as
  /// before time zones were introduced, has seconds too.
  public var iso8601: String { text { appendISO8601(to: &$0) } }

  private func text(_ append: (inout ByteWriter) -> Void) -> String {
    String(unsafeUninitializedCapacity: 48) { room in
      var writer = ByteWriter(UnsafeMutableRawBufferPointer(room))
      append(&writer)
      return writer.count
    }
  }

  private func appendISO8601(to text: inout ByteWriter) {
    let isUsual = (0...9999).contains(year)
    if !isUsual { text.append(year < 0 ? "-" : "+") }
    text.append(decimal: UInt64(year.magnitude), width: isUsual ? 4 : 6)
    for (separator, number) in [("-", month), ("-", day), ("T", hour), (":", minute), (":", second)] as Parts {
      text.append(separator)
      text.append(decimal: UInt64(number), width: 2)
    }
    let offset = Int(offsetFromUTC.magnitude)
    text.append(offsetFromUTC < 0 ? "-" : "+")
    text.append(decimal: UInt64(offset / 3600), width: 2)
    text.append(":")
    text.append(decimal: UInt64(offset / 60 % 60), width: 2)
    guard offset % 60 != 0 else { return }
    text.append(":")
    text.append(decimal: UInt64(offset % 60), width: 2)
  }

  private typealias Parts = [(StaticString, Int)]
}

extension LocalTime: CustomStringConvertible {
  /// The time in the form of ctime(3) and of Perl's `scalar localtime`, such as "Sat Nov 27 15:10:42 2026".
  public var description: String { text { append(to: &$0) } }

  /// Appends the time in the form of ctime(3), without its line feed; nothing is allocated.
  @_spi(Begat) public func append(to text: inout ByteWriter) {
    append(name: weekday, of: "SunMonTueWedThuFriSat", to: &text)
    text.append(" ")
    append(name: month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec", to: &text)
    text.append(day < 10 ? "  " : " ")
    text.append(decimal: UInt64(day))
    text.append(" ")
    text.append(decimal: UInt64(hour), width: 2)
    text.append(":")
    text.append(decimal: UInt64(minute), width: 2)
    text.append(":")
    text.append(decimal: UInt64(second), width: 2)
    text.append(year < 0 ? " -" : " ")
    text.append(decimal: UInt64(year.magnitude))
  }

  /// Three letters of a list of names.
  private func append(name index: Int, of names: StaticString, to text: inout ByteWriter) {
    text.append(UnsafeRawBufferPointer(start: names.utf8Start + index * 3, count: 3))
  }
}
