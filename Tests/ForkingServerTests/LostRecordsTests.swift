import Testing

@testable import ForkingServer

@Suite struct LostRecordsTests {
  private let second: Int64 = 1_000_000_000

  @Test("are reported once, when nothing more is lost")
  func onceWhenOver() {
    var lost = LostRecords()
    #expect(lost.line(0, isLast: true) == nil)
    lost.add(records: 64, 10 * second)
    lost.add(records: 64, messages: 1, 12 * second)
    #expect(lost.line(13 * second, isLast: false) == nil)
    #expect(
      lost.line(14 * second, isLast: false)
        == "128 ended connections and 1 message of the last 4s missing in this log, which is not written fast enough")
  }

  @Test("are reported at the end, and now and then while it goes on")
  func beforeItIsTooLate() {
    var lost = LostRecords()
    lost.add(records: 1, 0)
    #expect(
      lost.line(second, isLast: true)?.hasPrefix("1 ended connection of the last 1s missing in this log") == true)
    for time in 1...60 { lost.add(messages: 1, Int64(time) * second) }
    #expect(lost.line(60 * second, isLast: false) != nil)
  }
}
