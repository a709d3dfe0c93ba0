import Glibc
@_spi(Begat) import UnixCore

/// Local dates and times.  The time zone is read once, by `readTimeZone`, and not again by forked processes.
public enum CalendarTime {
  /// Reads the machine's time zone.
  ///
  /// Source: tzset(3).
  public static func readTimeZone() { tzset() }

  /// Appends a date and time in the form of ctime(3), always 24 characters: `Wed May 14 08:40:46 1997`.
  ///
  /// - Parameter seconds: since 1970-01-01 00:00 UTC.
  package static func append(_ seconds: Int64, to text: inout ByteWriter) {
    let days: StaticString = "SunMonTueWedThuFriSat"
    let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    var time = time_t(seconds)
    var parts = tm()
    guard localtime_r(&time, &parts) != nil else { return text.append("(time out of range)") }
    append(name: Int(parts.tm_wday), of: days, to: &text)
    text.append(UInt8(ascii: " "))
    append(name: Int(parts.tm_mon), of: months, to: &text)
    text.append(parts.tm_mday < 10 ? "  " : " ")
    append(parts.tm_mday, width: 1, to: &text)
    text.append(UInt8(ascii: " "))
    append(parts.tm_hour, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(parts.tm_min, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    append(parts.tm_sec, width: 2, to: &text)
    text.append(UInt8(ascii: " "))
    let year = Int(parts.tm_year) + 1900
    if year < 0 { text.append(UInt8(ascii: "-")) }
    text.append(decimal: UInt64(year.magnitude))
  }

  private static func append(_ number: Int32, width: Int, to text: inout ByteWriter) {
    text.append(decimal: UInt64(number.magnitude), width: width)
  }

  private static func append(name index: Int, of names: StaticString, to text: inout ByteWriter) {
    let start = index * 3
    guard start >= 0, start + 3 <= names.utf8CodeUnitCount else { return text.append("???") }
    text.append(UnsafeRawBufferPointer(start: names.utf8Start + start, count: 3))
  }

  /// Now, in whole seconds since 1970-01-01 00:00 UTC.
  static func now() -> Int64 { SystemClock.wall() / 1_000_000_000 }

  /// `now`, by a system call: for a connection process, which asks once.
  static func nowOnce() -> Int64 { SystemClock.wallByCall() / 1_000_000_000 }
}
