import Testing

@testable import Supervision

@Suite(.timeLimit(.minutes(30))) struct ServiceManagerTests {
  @Test("tries again in time for the watchdog", arguments: [nil, 1_000_000, 200_000_000, 30_000_000_000] as [Int64?])
  func triesAgainInTime(interval: Int64?) {
    var retry = ServiceManager.retry(watchdogInterval: interval)
    let longest = (0..<40).map { _ in retry.failed("queue full").delay }.max()
    #expect(longest == min(10_000_000_000, max(1_000_000, (interval ?? .max) / 4)))
  }
}
