import Admission
import Testing
import UnixIPC

@testable import ForkingServer

@Suite struct AcceptStateTests {
  /// The delay that the next retry waits, to the millisecond.
  private func delay(_ state: inout AcceptState) throws -> Int64 {
    let before = Deadline.now
    state.scheduleRetry()
    let after = Deadline.now
    let time = state.retryTime
    let retry = try #require(time)
    // What was measured around it: the delay lies between.
    let delays = after.duration(to: retry)...before.duration(to: retry)
    return [10, 20, 40, 80, 150].first { delays.contains(.milliseconds($0)) } ?? -1
  }

  @Test("tries again after delays that grow up to 150 ms")
  func delaysGrow() throws {
    var state = AcceptState()
    #expect(try (0..<8).map { _ in try delay(&state) } == [10, 20, 40, 80, 150, 150, 150, 150])
  }

  @Test("begins with the shortest delay again only when the shortage is over")
  func recovers() throws {
    var state = AcceptState()
    state.shortageBegan = Deadline(instant: 5)
    for _ in 0..<3 { _ = try delay(&state) }
    state.pause = .full
    state.resume()
    #expect(state.pause == nil && state.retryTime == nil && state.shortageBegan == Deadline(instant: 5))
    #expect(try delay(&state) == 80)
    state.recover()
    #expect(state.shortageBegan == nil)
    #expect(try delay(&state) == 10)
  }
}
