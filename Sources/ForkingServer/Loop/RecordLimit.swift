import Admission
import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// Keeps the log of a busy service short: connections beyond `log-rate` are only counted, and one line a second says how
/// many they were and how they ended.  Problems never come here: each has its line.
struct RecordLimit {
  private let rate: RateLimit?
  private let bucket: TokenBucket?
  private var fullAt = TokenBucket.untouched

  /// Connections without a line, by the number of their outcome.
  private var ended = SIMD16<UInt32>()
  private var opened: UInt32 = 0
  private var received: UInt64 = 0
  private var sent: UInt64 = 0
  private var began = Deadline.never
  /// When a line about them is due; never if there are none.
  private(set) var due = Deadline.never

  /// A line is about so much time.
  static let interval: Duration = .seconds(1)

  /// - Parameter rate: nil lets every connection have its line.
  init(_ rate: RateLimit?) {
    self.rate = rate
    bucket = rate.map(TokenBucket.init)
  }

  /// Whether a connection may have a line now; then it counts as one that has it.
  mutating func admits(_ now: Deadline) -> Bool {
    guard let bucket else { return true }
    guard bucket.nextTime(fullAt: fullAt) <= now else { return false }
    fullAt = bucket.taking(fullAt: fullAt, now: now)
    return true
  }

  /// Counts a connection that has begun.
  mutating func countOpened(_ now: Deadline) {
    begin(now)
    opened &+= 1
  }

  /// Counts a connection that has ended.
  ///
  /// - Parameter bytes: those received and sent, which may be unknown.
  mutating func count(_ outcome: Outcome, bytes: (received: UInt64, sent: UInt64), _ now: Deadline) {
    begin(now)
    ended[outcome.number] &+= 1
    if bytes.received != ConnectionRecord.unknownCount { received &+= bytes.received }
    if bytes.sent != ConnectionRecord.unknownCount { sent &+= bytes.sent }
  }

  private mutating func begin(_ now: Deadline) {
    guard due == .never else { return }
    began = now
    due = now.advanced(by: RecordLimit.interval)
  }

  /// The line about the connections that were counted; nil if there are none.
  func line(_ now: Deadline) -> String? {
    guard let rate, due != .never else { return nil }
    let outcomes = Outcome.words.enumerated().compactMap { number, word in
      ended[number] > 0 ? "\(ended[number]) \(word)" : nil
    }
    let count = ended.wrappedSum()
    let milliseconds = began.duration(to: now).nanoseconds / 1_000_000
    let parts = [
      opened > 0 ? "\(opened) opened" : nil,
      count > 0
        ? "\(count) ended (\(outcomes.joined(separator: ", "))), received \(received), sent \(sent) bytes" : nil,
    ].compactMap { $0 }
    return "more connections than log-rate (\(rate)) in \(milliseconds) ms, without a line each: "
      + parts.joined(separator: "; ")
  }

  /// Waits another interval: the line could not be written.
  mutating func postpone(_ now: Deadline) { due = now.advanced(by: RecordLimit.interval) }

  /// Begins anew: the line is written.
  mutating func reset() {
    ended = SIMD16()
    (opened, received, sent) = (0, 0, 0)
    due = .never
  }
}

extension Listener {
  /// Logs the beginning of a connection.
  mutating func noteOpened(_ entry: borrowing ConnectionTable.Entry) {
    guard recordLimit.admits(entry.started) else { return recordLimit.countOpened(entry.started) }
    batch.append(
      begat_record(
        .opened, process: entry.process, peer: entry.peer, via: entry.via, user: entry.user, socket: entry.socket,
        text: peerText))
    scoreboard.header.pointee.records &+= 1
    if batch.isFull { report() }
  }

  /// Logs what connections without a line of their own were, once a second.
  ///
  /// - Parameter isLast: whether nothing will follow.
  mutating func sayConnectionsCounted(_ now: Deadline, isLast: Bool = false) {
    guard recordLimit.due <= now || isLast, let line = recordLimit.line(now) else { return }
    // If it is not taken, the counts are not lost with it, but are in the next line.
    if reporter.tryLog(.info, line, .connectionsCounted) {
      recordLimit.reset()
      scoreboard.header.pointee.unsummed = 0
    } else {
      recordLimit.postpone(now)
    }
  }
}
