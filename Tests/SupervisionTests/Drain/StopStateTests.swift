import Testing

@testable import Supervision

/// How begatd stops.
@Suite(.timeLimit(.minutes(30))) final class StopStateTests {
  private static let second: Int64 = 1_000_000_000
  private static let timeout = 30 * second

  private var state = StopState()

  private func order(at now: Int64, isSignal: Bool = true, announcing time: Int64 = 0) -> StopState.Step? {
    state.order(at: now, isSignal: isSignal, announceTime: time, drainTimeout: Self.timeout)
  }

  private func takeExtension(at now: Int64) -> Int64? { state.takeExtension(at: now, drainTimeout: Self.timeout) }

  private func advance(_ now: Int64) -> StopState.Step? { state.advance(at: now, drainTimeout: Self.timeout) }

  @Test func drainsAndKillsWhatIsLeft() {
    #expect(!state.isOrdered && state.nextTime == nil)
    #expect(advance(5) == nil)
    #expect(order(at: 10) == .drain)
    #expect(state.isOrdered && state.isDraining)
    let end = 10 + Self.timeout + StopState.grace
    #expect(advance(end - 1) == nil)
    #expect(advance(end) == .kill)
    // Again, if something is left a second later.
    #expect(advance(end + 1) == nil)
    #expect(advance(end + Self.second) == .kill)
  }

  @Test func servesUntilTheAnnouncementIsOver() {
    #expect(order(at: 10, announcing: 7) == .announce(until: 17))
    #expect(state.isOrdered && !state.isDraining)
    #expect(advance(16) == nil)
    #expect(advance(17) == .drain)
    #expect(state.killTime == 17 + Self.timeout + StopState.grace)
    #expect(advance(18) == nil)
  }

  @Test(arguments: [false, true])
  func aSecondSignalEndsEverythingWithinASecond(isAnnouncing: Bool) {
    _ = order(at: 10, announcing: isAnnouncing ? 5 * Self.second : 0)
    #expect(order(at: 20) == .end)
    #expect(state.isEnding && state.isDraining)
    #expect(state.killTime == 20 + StopState.patience)
    #expect(StopState.patience < Self.second)
    #expect(state.nextTime == 20 + StopState.patience)
    #expect(advance(20 + StopState.patience) == .kill)
    // A third one does not put the end off.
    _ = order(at: 20)
    #expect(order(at: 21 + StopState.patience) == .end)
    #expect(state.killTime! <= 21 + 2 * Self.second)
  }

  @Test func closesSocketsWithinASecondWhereListenersAreLeft() {
    let step = state.order(
      at: 10, isSignal: true, leavesListeners: true, announceTime: 0, drainTimeout: Self.timeout)
    #expect(step == .drain)
    let end = 10 + StopState.closePatience
    #expect(StopState.closePatience < Self.second && state.nextTime == 10)
    #expect(advance(end - 1) == nil)
    #expect(advance(end) == .closeSockets)
    #expect(advance(end) == nil)
    // A listener that does not close them does not turn.
    #expect(advance(10 + StopState.leavePatience - 1) == nil)
    #expect(advance(10 + StopState.leavePatience) == .kill)
  }

  @Test func aRepeatedRequestDoesNothing() {
    #expect(order(at: 10, isSignal: false) == .drain)
    #expect(order(at: 20, isSignal: false) == nil)
    #expect(!state.isEnding)
    // A signal after a request is the second order.
    #expect(order(at: 30) == .end)
    #expect(order(at: 31, isSignal: false) == nil)
  }

  @Test func theServiceManagerIsToldInTimeUntilTheEnd() throws {
    _ = order(at: 0, announcing: 20 * Self.second)
    var now: Int64 = 0
    var promised: Int64 = 0
    var messages = 0
    while let time = state.extensionTime {
      // No message comes later than the one before has promised.
      #expect(time <= promised)
      now = max(now, time)
      if state.announcementEnd ?? .max <= now { _ = advance(now) }
      let limit = try #require(takeExtension(at: now))
      #expect(limit <= StopState.extensionInterval)
      #expect(takeExtension(at: now) == nil)
      promised = now + limit
      messages += 1
    }
    let end = 20 * Self.second + Self.timeout + StopState.grace
    #expect(promised >= end && promised <= end + 6 * Self.second)
    #expect(messages > 5)
  }

  @Test func nothingIsPromisedAfterASecondSignal() {
    _ = order(at: 0)
    _ = order(at: 1)
    #expect(state.extensionTime == nil)
    #expect(takeExtension(at: 100 * Self.second) == nil)
  }
}
