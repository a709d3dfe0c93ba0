import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct LoadTallyTests {
  @Test(
    "sorts failures",
    arguments: [
      (.connectionRefused, .refused), (.connectionReset, .reset), (.brokenPipe, .reset), (.timedOut, .timedOut),
      (.noMemory, .other), (.addressNotAvailable, .other),
    ] as [(ErrorCode, LoadOutcome)])
  func sortsFailures(code: ErrorCode, outcome: LoadOutcome) { #expect(LoadOutcome(failure: code) == outcome) }

  @Test(
    "sorts ends by what was expected",
    arguments: [
      (0, nil, .empty), (5, nil, .ok), (26, 26, .ok), (0, 0, .ok), (0, 26, .empty), (25, 26, .short), (27, 26, .long),
      (1, 0, .long),
    ]
      as [(Int, Int?, LoadOutcome)])
  func sortsEnds(received: Int, expected: Int?, outcome: LoadOutcome) {
    #expect(LoadOutcome(received: received, expected: expected) == outcome)
  }

  @Test(
    "asks for the expected text where the number of bytes is right",
    arguments: [(5, nil, .unexpected), (5, 5, .unexpected), (0, 0, .unexpected), (0, nil, .empty), (4, 5, .short)]
      as [(Int, Int?, LoadOutcome)])
  func asksForText(received: Int, expected: Int?, outcome: LoadOutcome) {
    #expect(LoadOutcome(received: received, expected: expected, isText: false) == outcome)
  }

  @Test("fails where connections were due and never began")
  func failsWhereNoneBegan() {
    var tally = LoadTally()
    tally.delayed = 1
    #expect(!tally.hasFailures)
    tally.unbegun = 1
    #expect(tally.hasFailures && tally.failed == 0)
  }

  @Test("counts each outcome and keeps the first strange error")
  func counts() {
    var tally = LoadTally()
    #expect(tally.total == 0 && !tally.hasFailures)
    tally.count(.ok)
    #expect(!tally.hasFailures)
    tally.count(.other, code: .noMemory)
    tally.count(.other, code: .notPermitted)
    tally.count(.refused, code: .connectionRefused)
    tally.add(bytes: 5)
    tally.add(bytes: 6)
    #expect(tally.total == 4 && tally.hasFailures && tally[.other] == 2 && tally[.ok] == 1 && tally.bytes == 11)
    #expect(tally.firstOtherError == .noMemory)
  }

  @Test("measures in microseconds, whatever the clock says")
  func measures() {
    var tally = LoadTally()
    for nanoseconds in [Int64.min, -1, 0, 1_500_000, .max] { tally.recordLatency(nanoseconds: nanoseconds) }
    #expect(tally.latency.totalCount == 5 && tally.latency.min == 0)
    #expect(tally.latency.valueAtPercentile(80) / 10 == 150)
  }

  @Test("has a name and a key of its own for each outcome")
  func hasNames() {
    #expect(Set(LoadOutcome.allCases.map(\.name)).count == LoadOutcome.allCases.count)
    for outcome in LoadOutcome.allCases { #expect(outcome.key.allSatisfy { $0.isLowercase || $0 == "_" }) }
  }
}
