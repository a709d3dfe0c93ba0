import Admission
import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite struct RecordLimitTests {
  private let start = Deadline(instant: 1_000_000_000_000)

  private func after(_ milliseconds: Int) -> Deadline { start.advanced(by: .milliseconds(milliseconds)) }

  @Test("admits as many as the rate allows, and all without a rate")
  func admitsAsMany() {
    var limit = RecordLimit(RateLimit("10/s burst 5")!)
    #expect((0..<20).filter { _ in limit.admits(start) }.count == 5)
    #expect((0..<20).filter { _ in limit.admits(after(200)) }.count == 2)
    var unlimited = RecordLimit(nil)
    #expect((0..<10_000).allSatisfy { _ in unlimited.admits(start) })
  }

  @Test("says once a second how the others ended")
  func saysHowTheOthersEnded() {
    var limit = RecordLimit(RateLimit("200/s burst 200")!)
    #expect(limit.due == .never && limit.line(start) == nil)
    for _ in 0..<3 { limit.count(.complete, bytes: (1, 10), start) }
    limit.count(.clientClosed, bytes: (ConnectionRecord.unknownCount, ConnectionRecord.unknownCount), after(500))
    limit.countOpened(after(600))
    #expect(limit.due == after(1000))
    #expect(
      limit.line(after(1002))
        == "more connections than log-rate (200/s burst 200) in 1002 ms, without a line each: 1 opened; "
        + "4 ended (3 complete, 1 client-closed), received 3, sent 30 bytes")
    // As long as the line is not taken, nothing is forgotten.
    limit.postpone(after(1002))
    #expect(limit.due == after(2002) && limit.line(after(2002)) != nil)
    limit.reset()
    #expect(limit.due == .never && limit.line(after(3000)) == nil)
  }

  @Test("knows a word for every outcome", arguments: [Outcome.complete, .maxDuration, .stopped(by: .terminate)])
  func knowsWords(outcome: Outcome) {
    #expect(Outcome.words.count == 10 && Outcome.words[outcome.number] == "\(outcome.word)")
  }
}
