import Glibc
@_spi(Begat) import UnixCore

/// The time of log lines: local, with milliseconds and the zone, as in RFC 3339: `2026-02-07 06:28:16.042+01:00`.
///
/// All but the milliseconds is made once a second.
struct LogClock {
  private var second: Int64 = -1
  private var date: [UInt8] = []
  private var zone: [UInt8] = []
  /// The character between date and time of day.
  private let separator: UInt8

  init(separator: Unicode.Scalar = " ") { self.separator = UInt8(ascii: separator) }

  /// Appends the present time.
  mutating func write(to text: inout ByteWriter) { write(SystemClock.wall(), to: &text) }

  /// - Parameter instant: nanoseconds since 1970-01-01 00:00 UTC.
  mutating func write(_ instant: Int64, to text: inout ByteWriter) {
    let (now, rest) = (instant / 1_000_000_000, instant % 1_000_000_000)
    if now != second { read(now) }
    date.withUnsafeBytes { text.append($0) }
    text.append(UInt8(ascii: "."))
    text.append(decimal: UInt64(rest / 1_000_000), width: 3)
    zone.withUnsafeBytes { text.append($0) }
  }

  private mutating func read(_ now: Int64) {
    // The machine's zone may have changed; localtime_r(3) alone does not look.
    tzset()
    second = now
    // Its year has four digits: 2026-02-07T06:28:16+01:00.
    var text = Array((LocalTime(secondsSince1970: now)?.iso8601 ?? "1970-01-01T00:00:00+00:00").utf8)
    text[10] = separator
    date = Array(text[..<19])
    zone = Array(text[19...])
  }
}
