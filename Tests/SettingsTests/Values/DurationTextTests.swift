import Settings
import TestSupport
import Testing

@Suite struct DurationTextTests {
  @Test(
    "is read",
    arguments: [
      ("0s", .zero), ("30s", .seconds(30)), ("10m", .seconds(600)), ("500ms", .milliseconds(500)),
      ("1h30m", .seconds(5400)), ("2d", .seconds(172_800)), ("1m1ms", .milliseconds(60_001)), ("007s", .seconds(7)),
      ("30s30s", .seconds(60)), ("3650d", .seconds(315_360_000)),
    ] as [(String, Duration)])
  func isRead(text: String, duration: Duration) { #expect(DurationText.parse(text) == duration) }

  @Test(
    "is nothing else",
    arguments: [
      "", "s", "30", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1sec", "1us", "1s1", "ms", "1e9s", "none",
      "3651d", "3650d1ms", "9223372036854775807s", "9223372036854775808ms", "99999999999999999999d", "١s", "1s\0",
      "5\u{308}s",
    ])
  func isNothingElse(text: String) { #expect(DurationText.parse(text) == nil) }

  @Test(
    "is shown as shortly as it is read again",
    arguments: [
      (.zero, "0s"), (.seconds(30), "30s"), (.seconds(600), "10m"), (.milliseconds(1500), "1500ms"),
      (.seconds(5400), "90m"), (.seconds(86_400), "1d"), (.seconds(7200), "2h"), (.microseconds(999), "0s"),
    ] as [(Duration, String)])
  func isShown(duration: Duration, text: String) { #expect(DurationText.render(duration) == text) }

  @Test("is read again as it was shown")
  func isReadAgain() {
    var random = SeededRandom(state: 1)
    for _ in 0..<5000 {
      let unit: Int64 = [1, 1000, 60_000, 3_600_000, 86_400_000].randomElement(using: &random)!
      let duration = Duration.milliseconds(Int64.random(in: 0...(315_360_000_000 / unit), using: &random) * unit)
      #expect(DurationText.parse(DurationText.render(duration)) == duration)
    }
  }
}
