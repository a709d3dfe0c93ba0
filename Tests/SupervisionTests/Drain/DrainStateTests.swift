import Testing

@testable import Supervision

/// Whether a service accepts clients.
@Suite(.timeLimit(.minutes(30))) final class DrainStateTests {
  private var drain = DrainState()

  private func begin(at now: Int64, announceTime: Int64 = 10) -> Bool {
    drain.begin(at: now, announceTime: announceTime)
  }
  private func advance(_ now: Int64) -> Bool { drain.advance(at: now) }
  private func close() -> Bool { drain.close() }

  @Test func isClosedWhenItsAnnouncementIsOver() {
    #expect(!advance(50))
    #expect(begin(at: 100))
    #expect(drain.announcementEnd == 110 && !drain.isClosed)
    #expect(!advance(109))
    #expect(advance(110))
    #expect(drain.isClosed && drain.announcementEnd == nil)
    // The sockets are closed once.
    #expect(!advance(111))
    #expect(!close())
  }

  @Test func isClosedImmediatelyWithoutAnAnnouncement() {
    #expect(begin(at: 100, announceTime: 0))
    #expect(advance(100))
  }

  @Test func aSecondOrderChangesNothing() {
    #expect(begin(at: 100))
    #expect(!begin(at: 105))
    #expect(drain.announcementEnd == 110)
    #expect(advance(110))
    #expect(!begin(at: 120))
    #expect(drain.isClosed)
  }

  @Test func anAnnouncementCanBeCalledOff() {
    #expect(begin(at: 100))
    drain.resume()
    #expect(drain.phase == .serving)
    #expect(!advance(200))
    #expect(begin(at: 300))
    #expect(close())
    #expect(drain.isClosed)
  }
}
