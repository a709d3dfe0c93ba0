import Glibc
@_spi(Begat) import UnixCore

/// Times as HTTP writes them.
enum HTTPDate {
  /// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter seconds: since 1970-01-01 00:00 UTC.
  ///
  /// Source: RFC 9110 section 5.6.7.
  static func text(_ seconds: Int64) -> String {
    var instant = time_t(seconds)
    var parts = tm()
    guard gmtime_r(&instant, &parts) != nil else { return "Thu, 01 Jan 1970 00:00:00 GMT" }
    return String(unsafeUninitializedCapacity: 32) { room in
      var text = ByteWriter(UnsafeMutableRawBufferPointer(room))
      append(name: parts.tm_wday, of: "SunMonTueWedThuFriSat", to: &text)
      text.append(", ")
      text.append(decimal: UInt64(parts.tm_mday), width: 2)
      text.append(" ")
      append(name: parts.tm_mon, of: "JanFebMarAprMayJunJulAugSepOctNovDec", to: &text)
      text.append(" ")
      text.append(decimal: UInt64(max(0, Int(parts.tm_year) + 1900)), width: 4)
      for (separator, number) in [(" ", parts.tm_hour), (":", parts.tm_min), (":", parts.tm_sec)]
        as [(StaticString, Int32)]
      {
        text.append(separator)
        text.append(decimal: UInt64(number), width: 2)
      }
      text.append(" GMT")
      return text.count
    }
  }

  /// Three letters of a list of names.
  private static func append(name index: Int32, of names: StaticString, to text: inout ByteWriter) {
    text.append(UnsafeRawBufferPointer(start: names.utf8Start + Int(index) * 3, count: 3))
  }
}
