import Testing

@testable import ForkingServer

@Suite struct LostRecordsTests {
  private let second: Int64 = 1_000_000_000

  @Test("are reported once, when nothing more is lost")
  func onceWhenOver() {
    var lost = LostRecords()
    #expect(lost.line(0, isLast: true) == nil)
    lost.add(64, 10 * second)
    lost.add(64, 12 * second)
    #expect(lost.line(13 * second, isLast: false) == nil)
    #expect(
      lost.line(14 * second, isLast: false)
        == "128 ended connections are missing in this log, from the last 4s: the log is not written fast enough")
  }

  @Test("are reported at the end, and now and then while it goes on")
  func beforeItIsTooLate() {
    var lost = LostRecords()
    lost.add(1, 0)
    #expect(
      lost.line(second, isLast: true)?.hasPrefix("1 ended connection is missing in this log, from the last 1s") == true)
    for time in 1...60 { lost.add(1, Int64(time) * second) }
    #expect(lost.line(60 * second, isLast: false) != nil)
  }
}
