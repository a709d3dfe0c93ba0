import ControlProtocol
import JSON
import Monitoring
import Testing

@testable import ControlProtocol

/// Rows of services from the counts of listeners.
@Suite struct ServiceStatusTests {
  private static let second: Int64 = 1_000_000_000

  private static func history(newest: Int64, _ counts: [UInt32]) -> EventHistory {
    var ring = [UInt32](repeating: 0, count: EventHistory.length)
    for (age, count) in counts.enumerated() { ring[Int((newest - Int64(age)) % Int64(ring.count))] = count }
    return EventHistory(newest: newest, counts: ring)
  }

  private static func status(_ counters: ServiceCounters, now: Int64, since: Int64 = 0) -> ServiceStatus {
    var status = ServiceStatus(name: "hello", state: .serving)
    status.take(counters, now: now, since: since, answersDatagrams: false)
    return status
  }

  @Test("show zeros for everything before the first client")
  func isEmpty() {
    let status = Self.status(ServiceCounters(), now: 1_000 * Self.second)
    #expect(status.rates == Rates() && status.durations == DurationHistogram())
    #expect(status.history == Array(repeating: 0, count: 90) && status.refusedHistory == status.history)
    #expect(status.outcomes.count == 10 && status.outcomes.allSatisfy { $0.count == 0 })
    #expect(status.refused.map(\.reason).contains("begat-deny") && status.datagrams == nil)
  }

  @Test("have rates of the last second, minute and quarter of an hour")
  func hasRates() {
    var counters = ServiceCounters()
    // The newest place first; 4 of its 10 seconds are over.
    counters.acceptedHistory = Self.history(newest: 200, [6, 10, 10, 10, 10, 10, 100, 1_000])
    counters.acceptedSeconds = EventHistory(newest: 2_004, counts: [7, 3], length: 2)
    let now = 2_004 * Self.second
    let rates = Self.status(counters, now: now).rates
    #expect(rates.second == 3)
    // 60 of the oldest place's 100 are less than a minute old.
    #expect(abs(rates.minute - (56 + 60) / 60.0) < 1e-9)
    #expect(abs(rates.quarterHour - 1_156 / 894.0) < 1e-9)
    // A service that is 100 s old.
    #expect(abs(Self.status(counters, now: now, since: now - 100 * Self.second).rates.quarterHour - 11.56) < 1e-9)
    // One that is 20 s old.
    let young = Self.status(counters, now: now, since: now - 20 * Self.second).rates
    #expect(abs(young.minute - (56 + 60) / 20.0) < 1e-9 && young.quarterHour >= young.minute)
    // Two seconds later nothing has come in the second before.
    #expect(Self.status(counters, now: 2_006 * Self.second).rates.second == 0)
  }

  @Test("name each way of ending as records do")
  func namesOutcomes() {
    let outcomes: [(Outcome, String)] = [
      (.complete, "complete"), (.clientClosed, "client-closed"), (.firstByteTimeout, "first-byte-timeout"),
      (.idleTimeout, "idle-timeout"), (.maxDuration, "max-duration"), (.exited(status: 1), "exited"),
      (.failed, "failed"), (.ended(by: .kill), "ended"), (.stopped(by: .kill), "stopped"),
      (.crashed(by: .kill), "crashed"),
    ]
    for (outcome, word) in outcomes {
      var counters = ServiceCounters()
      counters.outcomes = (0..<10).map { $0 == Int(outcome.code.outcome) ? 5 : 0 }
      #expect(Self.status(counters, now: 0).outcomes.filter { $0.count > 0 } == [OutcomeCount(word, 5)])
    }
  }

  @Test("keep what they had as JSON")
  func survivesJSON() throws {
    var counters = ServiceCounters()
    counters.accepted = 12
    counters.ended = 11
    counters.outcomes = Array(1...10)
    counters.durations = Array(11...19)
    counters.durationSum = 1_234_000_000
    counters.bytesReceived = 1 << 40
    counters.refused = [1, 2, 3, 4, 5, 6]
    counters.acceptedHistory = Self.history(newest: 200, [1, 2, 3])
    counters.refusedHistory = Self.history(newest: 199, [9])
    var status = ServiceStatus(name: "hello", state: .serving)
    status.take(counters, now: 2_004 * Self.second, since: 0, answersDatagrams: true)
    status.isStandalone = true
    let report = StatusReport(daemon: nil, services: [status])
    #expect(try StatusReport(.object(report.members)) == report)
  }
}
