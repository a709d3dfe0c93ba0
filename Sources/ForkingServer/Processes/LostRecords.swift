import ControlProtocol
import Settings
import UnixIPC

/// What did not reach the log because its reader was too slow: one line when that is over.
struct LostRecords {
  private var records = 0
  private var messages = 0
  private var first = Deadline.never
  private var last = Deadline.never

  /// So long nothing more must have been lost; but after the longer time something is said in any case.
  private static let quiet: Duration = .seconds(2)
  private static let longest: Duration = .seconds(60)

  var isEmpty: Bool { records == 0 && messages == 0 }

  mutating func add(records lostRecords: Int = 0, messages lostMessages: Int = 0, _ now: Deadline) {
    if isEmpty { first = now }
    records += lostRecords
    messages += lostMessages
    last = now
  }

  /// The line, where it is due.
  ///
  /// - Parameter isLast: whether there is no later moment.
  func line(_ now: Deadline, isLast: Bool) -> String? {
    guard !isEmpty,
      isLast || last.duration(to: now) >= LostRecords.quiet || first.duration(to: now) >= LostRecords.longest
    else { return nil }
    let time = DurationText.render(first.duration(to: now).inSeconds)
    let lost = [
      records > 0 ? "\(records) ended connection\(records == 1 ? "" : "s")" : nil,
      messages > 0 ? "\(messages) message\(messages == 1 ? "" : "s")" : nil,
    ].compactMap { $0 }.joined(separator: " and ")
    return "\(lost) of the last \(time) missing in this log, which is not written fast enough"
  }
}
