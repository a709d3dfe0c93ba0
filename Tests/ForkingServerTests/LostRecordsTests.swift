import Testing
import UnixIPC

@testable import ForkingServer

@Suite struct LostRecordsTests {
  /// So many seconds after the machine's start.
  private func second(_ count: Int64) -> Deadline { Deadline(instant: count * 1_000_000_000) }

  @Test("are reported once, when nothing more is lost")
  func onceWhenOver() {
    var lost = LostRecords()
    #expect(lost.line(second(0), isLast: true) == nil)
    lost.add(records: 64, second(10))
    lost.add(records: 64, messages: 1, second(12))
    #expect(lost.line(second(13), isLast: false) == nil)
    #expect(
      lost.line(second(14), isLast: false)
        == "128 ended connections and 1 message of the last 4s missing in this log, which is not written fast enough")
  }

  @Test("are reported at the end, and now and then while it goes on")
  func beforeItIsTooLate() {
    var lost = LostRecords()
    lost.add(records: 1, second(0))
    #expect(
      lost.line(second(1), isLast: true)?.hasPrefix("1 ended connection of the last 1s missing in this log") == true)
    for time in 1...60 { lost.add(messages: 1, second(Int64(time))) }
    #expect(lost.line(second(60), isLast: false) != nil)
  }
}
