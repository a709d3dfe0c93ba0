import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(1))) struct SpareDemandTests {
  private let start = Deadline(instant: 1_000_000_000_000)

  private func time(_ seconds: Int64) -> Deadline { start.advanced(by: .seconds(seconds)) }

  @Test("wants none before the first client")
  func beginsWithNone() {
    var demand = SpareDemand(limit: 16)
    demand.advance(time(100))
    #expect(demand.target == 0 && demand.due == .never)
    demand.noteClient(bySpare: false, now: start)
    #expect(demand.target == 2)
  }

  @Test("wants twice as many whenever all were used up, up to the limit")
  func grows() {
    var demand = SpareDemand(limit: 10)
    demand.noteClient(bySpare: false, now: start)
    var targets: [Int] = []
    for _ in 0..<5 {
      for _ in 0..<demand.target { demand.noteClient(bySpare: true, now: start) }
      demand.noteRefill(waiting: 0)
      targets.append(demand.target)
    }
    #expect(targets == [4, 8, 10, 10, 10])
  }

  @Test("wants no more while some are left")
  func staysSmall() {
    var demand = SpareDemand(limit: 10)
    demand.noteClient(bySpare: false, now: start)
    for _ in 0..<50 {
      demand.noteClient(bySpare: true, now: start)
      demand.noteRefill(waiting: 1)
    }
    #expect(demand.target == 2)
  }

  @Test("wants as many as the last minute needed, and none after a minute without clients")
  func shrinks() {
    var demand = SpareDemand(limit: 16)
    demand.noteClient(bySpare: false, now: start)
    for _ in 0..<3 {
      for _ in 0..<demand.target { demand.noteClient(bySpare: true, now: start) }
      demand.noteRefill(waiting: 0)
    }
    #expect(demand.target == 16)
    demand.advance(time(29))
    #expect(demand.target == 16)
    demand.advance(time(30))
    demand.noteClient(bySpare: true, now: time(31))
    demand.noteRefill(waiting: 15)
    demand.advance(time(60))
    #expect(demand.target == 16)
    demand.advance(time(90))
    #expect(demand.target == 2)
    demand.advance(time(120))
    #expect(demand.target == 0 && demand.due == .never)
  }

  @Test("wants none where there may be none")
  func staysWithin() {
    var demand = SpareDemand(limit: 0)
    demand.noteClient(bySpare: false, now: start)
    #expect(demand.target == 0)
  }
}
