import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct DaytimeAnswerTests {
  private func answer(_ text: String, _ ending: SurveyAnswer.Ending = .complete) -> DaytimeAnswer {
    let answer = SurveyAnswer(
      bytes: UntrustedBytes(text: text), ending: ending, address: .ipv4(.loopback, port: 13), roundTrip: .zero,
      received: 0)
    return DaytimeAnswer(.answered(answer), within: .milliseconds(1500))
  }

  @Test(
    "has the lines of any form, fit for a terminal",
    arguments: [
      ("23 NOV 2026 01:25:09 UTC\r\n", ["23 NOV 2026 01:25:09 UTC"]), ("Mon Nov 23\n", ["Mon Nov 23"]),
      ("no end", ["no end"]), ("\n60000 26-11-23 UTC(NIST) * \n", ["60000 26-11-23 UTC(NIST) * "]),
      ("a\r\nb\n\rc", ["a", "b", "c"]), ("\u{1b}]0;owned\u{7}\u{8}x\0", [#"\x1b]0;owned\x07\x08x\x00"#]),
      ("\u{9b}31m\\x", [#"\xc2\x9b31m\\x"#]),
    ])
  func hasLines(text: String, lines: [String]) {
    #expect(answer(text).lines == lines && answer(text).complaint == nil)
  }

  @Test("says what is wrong, and shows what came all the same")
  func saysWhatIsWrong() {
    #expect(answer("").complaint == "closed without an answer" && answer("\r\n").complaint != nil)
    #expect(answer("abc", .tooLong) == answer("abc", .tooLong) && answer("abc", .tooLong).lines == ["abc"])
    #expect(answer("abc", .tooLong).complaint == "more than 3 bytes")
    #expect(answer("abc", .unended).complaint == "no end of its answer within 1500 ms")
    let failed = DaytimeAnswer(.failed("refused"), within: .seconds(1))
    #expect(failed.complaint == "refused" && failed.lines == [])
    #expect(failed.json("h") == ["host": .string("h"), "error": .string("refused")])
    #expect(answer("a\r\nb").json("h") == ["host": .string("h"), "daytime": .string("a\nb")])
  }
}
