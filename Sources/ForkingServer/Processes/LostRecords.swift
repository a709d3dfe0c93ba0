import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// What did not reach the log because its reader was too slow: one line when that is over.
struct LostRecords {
  private var records = 0
  private var messages = 0
  private var first: Int64 = 0
  private var last: Int64 = 0

  /// So long nothing more must have been lost; but after the longer time something is said in any case.
  private static let quiet: Int64 = 2_000_000_000
  private static let longest: Int64 = 60_000_000_000

  var isEmpty: Bool { records == 0 && messages == 0 }

  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  mutating func add(records lostRecords: Int = 0, messages lostMessages: Int = 0, _ now: Int64) {
    if isEmpty { first = now }
    records += lostRecords
    messages += lostMessages
    last = now
  }

  /// The line, where it is due.
  ///
  /// - Parameter isLast: whether there is no later moment.
  func line(_ now: Int64, isLast: Bool) -> String? {
    guard !isEmpty, isLast || now - last >= LostRecords.quiet || now - first >= LostRecords.longest else { return nil }
    let time = DurationText.render(.seconds((now - first + 999_999_999) / 1_000_000_000))
    let lost = [
      records > 0 ? "\(records) ended connection\(records == 1 ? "" : "s")" : nil,
      messages > 0 ? "\(messages) message\(messages == 1 ? "" : "s")" : nil,
    ].compactMap { $0 }.joined(separator: " and ")
    return "\(lost) of the last \(time) missing in this log, which is not written fast enough"
  }
}
