import Glibc
import JSON
@_spi(Begat) import UnixCore

/// The rows of `begat time`: a host, its difference in seconds, its time, and what was taken off.
///
/// Source: perlipc, `printf "%-24s %8s %s\n"`.
struct TimeTable {
  /// Of the column of hosts.
  private let width: Int

  init(hosts: [String]) { width = min(48, max(24, hosts.map(\.count).max() ?? 0)) }

  static let thisMachine = "(this machine)"

  var head: String { row("HOST", "SECONDS", "TIME") }

  /// The first row below the head: this machine, which differs from itself by nothing.
  func localRow(_ time: Int64) -> String { row(Self.thisMachine, "0", Self.text(of: time)) }

  func row(_ host: String, _ answer: TimeAnswer) -> String {
    let milliseconds = Self.milliseconds(answer.halfRoundTrip)
    return row(host, "\(answer.difference)", Self.text(of: answer.time))
      + "  half the round trip, \(milliseconds) ms, taken off"
  }

  func row(_ host: String, failure: String) -> String { row(host, "-", failure) }

  private func row(_ host: String, _ difference: String, _ text: String) -> String {
    let before = String(repeating: " ", count: max(0, width - host.count))
    let between = String(repeating: " ", count: max(0, 8 - difference.count))
    return "\(host)\(before) \(between)\(difference) \(text)"
  }

  /// ctime(3)'s words in the local time zone.
  static func text(of time: Int64) -> String {
    var time = time_t(time)
    var parts = tm()
    guard localtime_r(&time, &parts) != nil else { return "(time out of range)" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { room in
      let count = strftime(room.baseAddress!, room.count, "%a %b %e %H:%M:%S %Y", &parts)
      return String(decoding: room[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// With one decimal, cut: less than nothing does not happen.
  private static func milliseconds(_ duration: Duration) -> String {
    let tenths = max(0, duration.nanoseconds) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension TimeTable {
  /// The same for programs: times in seconds since 1970.
  static func json(_ host: String, _ answer: TimeAnswer) -> JSONValue {
    [
      "host": .string(host), "difference": .integer(answer.difference), "time": .integer(answer.time),
      "taken_off_microseconds": .count(max(0, answer.halfRoundTrip.nanoseconds) / 1000),
    ]
  }

  static func json(_ host: String, failure: String) -> JSONValue {
    ["host": .string(host), "error": .string(failure)]
  }
}
