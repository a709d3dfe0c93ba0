import Admission
import ControlProtocol

extension ServiceStatus {
  /// Takes over what the service's listeners have counted.
  ///
  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  /// - Parameter since: when the first of them began to count, as `now`.
  /// - Parameter answersDatagrams: whether counts of datagrams mean something.
  public mutating func take(_ counters: ServiceCounters, now: Int64, since: Int64, answersDatagrams: Bool) {
    accepted = counters.accepted
    ended = counters.ended
    droppedRecords = counters.recordsDropped
    refused = ServiceStatus.refused(counters.refused)
    if answersDatagrams {
      datagrams = Datagrams(
        answered: counters.datagramsAnswered, refused: ServiceStatus.refused(counters.datagramsRefused),
        ignored: counters.datagramsIgnored)
    }
    rates = Rates(counters, now: now, since: since)
    history = counters.acceptedHistory.counts(upTo: now / EventHistory.placeTime)
    refusedHistory = counters.refusedHistory.counts(upTo: now / EventHistory.placeTime)
    durations = DurationHistogram(
      counts: padded(counters.durations, to: DurationHistogram.bounds.count + 1),
      sum: .nanoseconds(Int64(clamping: counters.durationSum)))
    outcomes = zip(Outcome.words, padded(counters.outcomes, to: Outcome.words.count)).map(OutcomeCount.init)
    bytesReceived = counters.bytesReceived
    bytesSent = counters.bytesSent
  }

  private static func refused(_ counts: [UInt64]) -> [Refused] {
    zip(reasons, padded(counts, to: reasons.count)).map(Refused.init)
  }

  /// The keys of the configuration that are responsible for refusals, as words.
  private static let reasons = Refusal.allCases.map { String($0.key.map { $0 == " " ? "-" : $0 }) }
}

/// The counts, with zeros for those that were never counted.
private func padded(_ counts: [UInt64], to length: Int) -> [UInt64] {
  Array((counts + Array(repeating: 0, count: length)).prefix(length))
}

extension Rates {
  fileprivate init(_ counters: ServiceCounters, now: Int64, since: Int64) {
    let history = counters.acceptedHistory
    let newest = now / EventHistory.placeTime
    // A minute ago in the middle of a place: as much of that counts as is not older.
    let begun = Double(now % EventHistory.placeTime) / Double(EventHistory.placeTime)
    let whole = (0..<6).reduce(0.0) { $0 + Double(history[newest - $1]) }
    // Not longer than it has been offered: the first minute has fewer than 60 seconds.
    func seconds(atMost length: Int64) -> Double {
      Double(max(1_000_000_000, min(length, now - since))) / 1_000_000_000
    }
    second = Double(counters.acceptedSeconds[now / 1_000_000_000 - 1])
    minute = (whole + Double(history[newest - 6]) * (1 - begun)) / seconds(atMost: 60_000_000_000)
    let length = EventHistory.placeTime * Int64(EventHistory.length - 1) + now % EventHistory.placeTime
    quarterHour = history.counts(upTo: newest).reduce(0.0) { $0 + Double($1) } / seconds(atMost: length)
  }
}
