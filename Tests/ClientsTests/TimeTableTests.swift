import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct TimeTableTests {
  private func answer(_ difference: Int64, roundTrip: Duration) -> TimeAnswer {
    let seconds = UInt32(truncatingIfNeeded: 863_614_846 + difference + 2_208_988_800)
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: seconds >> UInt32(24 - 8 * $0)) }
    return TimeAnswer(bytes, received: 863_614_846_000_000_000 + roundTrip.nanoseconds / 2, roundTrip: roundTrip)
  }

  /// perl's own words, in the time zone that the tests run in.
  private func text(of time: Int64) -> String {
    var time = time_t(time)
    var room = [CChar](repeating: 0, count: 64)
    return String(String(cString: ctime_r(&time, &room)).dropLast())
  }

  @Test("has perlipc's columns, and says what was taken off")
  func hasColumns() {
    let table = TimeTable(hosts: ["a", "b"])
    let local = text(of: 863_614_846)
    #expect(table.head == "HOST                      SECONDS TIME")
    #expect(table.localRow(863_614_846) == "(this machine)                  0 \(local)")
    #expect(
      table.row("a", answer(-7, roundTrip: .microseconds(2600)))
        == "a                              -7 \(text(of: 863_614_839))  half the round trip, 1.3 ms, taken off")
    #expect(table.row("b", failure: "refused") == "b                               - refused")
    #expect(local.count == 24)
  }

  @Test("is as wide as the longest host, and never wider than a terminal takes")
  func isWideEnough() {
    let long = String(repeating: "h", count: 40)
    #expect(TimeTable(hosts: [long, "b"]).row("b", failure: "x").count == 40 + 9 + 2)
    let longest = String(repeating: "h", count: 300)
    #expect(TimeTable(hosts: [longest]).row(longest, failure: "x") == longest + "        - x")
    #expect(TimeTable(hosts: [longest]).row("b", failure: "x").count == 48 + 9 + 2)
  }

  @Test("is JSON for programs, whatever a host is called")
  func isJSON() {
    #expect(
      TimeTable.json("a\"\\\u{1b}é", answer(3, roundTrip: .microseconds(2600))).text
        == #"{"host":"a\"\\\u001b\u00e9","difference":3,"time":863614849,"taken_off_microseconds":1300}"#)
    #expect(TimeTable.json("a", failure: "refused") == ["host": .string("a"), "error": .string("refused")])
  }
}
