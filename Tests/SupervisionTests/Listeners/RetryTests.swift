import Testing

@testable import Supervision

/// When what has failed is tried again.
@Suite(.timeLimit(.minutes(30))) struct RetryTests {
  @Test("listeners are started again after 0.1 s, then later and later, and one line says so") func listeners() {
    var retry = Retry.ofListeners
    let failures = (0..<11).map { _ in retry.failed("execve") }
    #expect(failures.map { $0.delay / 100_000_000 } == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
    #expect(failures.map(\.isNews) == [true] + Array(repeating: false, count: 10))
    let count = retry.succeeded()
    #expect(count == 11)
    let next = retry.failed("execve")
    #expect(next == (100_000_000, true))
  }
}
