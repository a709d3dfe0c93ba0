import Testing

@testable import Supervision

@Suite struct ClosingWaitTests {
  @Test func triesAgainUntilItsTimeIsOver() throws {
    var now: Int64 = 1_000
    var wait = try #require(ClosingWait(after: nil, at: now))
    var attempts = 1
    while let next = ClosingWait(after: wait, at: wait.nextTime) {
      #expect(next.nextTime > now)
      (now, wait) = (wait.nextTime, next)
      attempts += 1
    }
    #expect(wait.nextTime == 1_000 + 3_000_000_000)
    #expect((10...100).contains(attempts))
  }
}
