import TOML
import Testing

@Suite struct DateTests {
  @Test(
    "takes dates and times of four kinds, as they were written",
    arguments: [
      ("1979-05-27T07:32:00Z", .offsetDateTime), ("1979-05-27 07:32:00.999999999-07:00", .offsetDateTime),
      ("1979-05-27t07:32:00z", .offsetDateTime), ("1979-05-27T07:32:00", .localDateTime),
      ("1979-05-27 07:32:00.5", .localDateTime), ("1979-05-27", .localDate), ("2024-02-29", .localDate),
      ("2000-02-29", .localDate), ("0000-01-01", .localDate), ("07:32:00", .localTime), ("23:59:59.9", .localTime),
    ] as [(String, TOMLDate.Kind)])
  func takesDates(text: String, kind: TOMLDate.Kind) throws {
    for around in [(text, ""), (text, " # x"), (text, "#x")] {
      guard case .date(let date) = try value(around.0 + around.1) else {
        Issue.record("\(text) is no date")
        return
      }
      #expect(date.kind == kind)
      #expect(date.text == text)
    }
    #expect(fault("a = [\(text), {b = \(text)}]") == "")
  }

  @Test(
    "refuses what is none",
    arguments: [
      "2026-13-01", "2026-00-01", "2026-02-30", "2100-02-29", "2023-02-29", "2026-04-31", "2026-1-01", "2026-01-01T",
      "2026-01-01T24:00:00", "2026-01-01T00:60:00", "2026-01-01T00:00:60", "2026-01-01T00:00", "2026-01-01T00:00:00.",
      "2026-01-01T00:00:00+24:00", "2026-01-01 00:00:00+0100", "2026-01-01T00:00:00ZZ", "12:30", "7:00:00x",
      "12:30:00Z",
      "2026-01-01x", "2026-01-01  00:00:00",
    ])
  func refusesOthers(text: String) { #expect(fault("a = \(text)") != "") }

  @Test(
    "says what a date looks like",
    arguments: [
      Slip(
        "2026-13-01", "no date or time such as 1979-05-27T07:32:00Z or 07:32:00; text stands in quotes: \"2026-13-01\""),
      Slip("12:30", "no date or time such as 1979-05-27T07:32:00Z or 07:32:00; text stands in quotes: \"12:30\""),
      Slip("2001:db8::1", "text stands in quotes: \"2001:db8::1\""),
    ])
  func saysWhatADateLooksLike(slip: Slip) { #expect(fault("a = \(slip.text)") == "1:5: \(slip.fault)") }
}
