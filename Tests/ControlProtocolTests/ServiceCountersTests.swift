import Testing

@testable import ControlProtocol

@Suite struct ServiceCountersTests {
  private static func counters(accepted: UInt64, ended: UInt64, records: UInt64 = 0, dropped: UInt64 = 0)
    -> ServiceCounters
  {
    var counters = ServiceCounters()
    counters.accepted = accepted
    counters.ended = ended
    counters.records = records
    counters.recordsDropped = dropped
    counters.outcomes = [ended] + Array(repeating: 0, count: 9)
    return counters
  }

  @Test("adds every count of another generation")
  func adds() {
    var one = Self.counters(accepted: 5, ended: 3, records: 3, dropped: 1)
    one.refused = [1, 2]
    var other = Self.counters(accepted: 7, ended: 7, records: 6, dropped: 0)
    other.refused = [1, 1, 1]
    other.durations = [7]
    other.durationSum = 9
    other.bytesReceived = 11
    other.bytesSent = 12
    one.add(other)
    #expect(one.accepted == 12 && one.ended == 10 && one.records == 9 && one.recordsDropped == 1)
    #expect(one.outcomes[0] == 10 && one.refused == [2, 3, 1] && one.durations == [7] && one.durationSum == 9)
    #expect(one.bytesReceived == 11 && one.bytesSent == 12)
  }

  @Test("counts what a killed listener could not reap as ended by a signal")
  func settles() {
    var killed = Self.counters(accepted: 10, ended: 7, records: 7, dropped: 2)
    killed.durations = Array(repeating: 0, count: 9)
    // A fourth place belongs to a connection that the listener had counted as ended already.
    let lost = killed.settle(recordsReceived: 4, open: [0, 2_000_000, 3_700_000_000_000, 5])
    #expect(lost.connections == 3 && lost.records == 1)
    #expect(killed.ended == 10 && killed.outcomes == [7, 0, 0, 0, 0, 3, 0, 0, 0, 0] && killed.recordsDropped == 3)
    #expect(killed.durations == [1, 1, 0, 0, 0, 0, 0, 0, 1] && killed.durationSum == 3_700_002_000_000)
  }

  @Test("misses what a killed listener had not summed up yet, once")
  func missesUnsummed() {
    var killed = Self.counters(accepted: 10, ended: 10, records: 3, dropped: 1)
    killed.unsummed = 6
    #expect(killed.settle(recordsReceived: 1) == (0, 7))
    #expect(killed.recordsDropped == 8 && killed.unsummed == 0)
    // No more than have ended.
    var odd = Self.counters(accepted: 2, ended: 2, records: 0, dropped: 0)
    odd.unsummed = .max
    #expect(odd.settle(recordsReceived: 0) == (0, 2))
  }

  @Test("believes in no more connections than there were places")
  func boundsLostConnections() {
    var odd = Self.counters(accepted: 1 << 60, ended: 0)
    #expect(odd.settle(recordsReceived: 0, open: [1, 2]) == (2, 0) && odd.ended == 2)
  }

  @Test("takes nothing back from a listener that has written nonsense")
  func distrusts() {
    var odd = Self.counters(accepted: 1, ended: 5, records: 3, dropped: .max)
    #expect(odd.settle(recordsReceived: 4, open: [1]) == (0, 0))
    #expect(odd.ended == 5 && odd.recordsDropped == .max)
  }

  @Test("adds histories by absolute time")
  func addsHistories() {
    var history = EventHistory(length: 3)
    history.add(Self.history([10: 1, 11: 2, 12: 4]))
    history.add(Self.history([12: 8, 14: 16]))
    #expect(history.counts(upTo: 14) == [12, 0, 16])
    // An older one changes only what is not over.
    history.add(Self.history([11: 100, 12: 1]))
    #expect(history.counts(upTo: 14) == [13, 0, 16])
    #expect(history.counts(upTo: 16) == [16, 0, 0])
  }

  private static func history(_ events: [Int64: UInt32]) -> EventHistory {
    var counts: [UInt32] = [0, 0, 0]
    for (place, count) in events { counts[Int(place % 3)] = count }
    return EventHistory(newest: events.keys.max() ?? 0, counts: counts, length: 3)
  }
}
