import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct TimeAnswerTests {
  /// 2036-02-07 06:28:16 UTC, when 2³² seconds since 1900 are over.
  private static let wrap: Int64 = 2_085_978_496

  @Test(
    "is of the era that is nearest to our clock",
    arguments: [
      // Ours against the wrap, the bytes, the difference.
      (0, [0, 0, 0, 0], 0), (-1, [0, 0, 0, 0], 1), (0, [255, 255, 255, 255], -1), (-1, [255, 255, 255, 255], 0),
      (-100, [0, 0, 0, 100], 200), (100, [255, 255, 255, 156], -200), (5, [0, 0, 0, 5], 0),
      (0, [127, 255, 255, 255], 2_147_483_647), (0, [128, 0, 0, 0], -2_147_483_648),
      // The second wrap, in 2172.
      (1 << 32, [0, 0, 0, 1], 1), ((1 << 32) - 2, [0, 0, 0, 1], 3),
      // 1970-01-01.
      (-2_085_978_496, [131, 170, 126, 128], 0),
    ] as [(Int64, [UInt8], Int64)])
  func isOfTheNearestEra(ours: Int64, bytes: [UInt8], difference: Int64) {
    let now = Self.wrap + ours
    let answer = TimeAnswer(bytes, received: now * 1_000_000_000 + 500_000_000, roundTrip: .zero)
    #expect(answer.difference == difference && answer.time == now + difference)
  }

  @Test("takes half the round trip off our own time, and fractions as the server does")
  func takesHalfOff() {
    let four: [UInt8] = [0, 0, 0, 100]
    let then = (Self.wrap + 100) * 1_000_000_000
    func difference(_ received: Int64, _ roundTrip: Duration) -> Int64 {
      TimeAnswer(four, received: then + received, roundTrip: roundTrip).difference
    }
    #expect(difference(0, .zero) == 0 && difference(999_999_999, .zero) == 0 && difference(1_000_000_000, .zero) == -1)
    #expect(difference(2_000_000_000, .seconds(4)) == 0 && difference(2_000_000_000, .seconds(2)) == -1)
    #expect(difference(0, .nanoseconds(2)) == 1)
    #expect(TimeAnswer(four, received: then, roundTrip: .seconds(4)).halfRoundTrip == .seconds(2))
    // Before 1970 too.
    let early = TimeAnswer([131, 170, 126, 127], received: -1, roundTrip: .zero)
    #expect(early.difference == 0 && early.time == -1)
  }

  @Test(
    "is four bytes and nothing else",
    arguments: [
      (0, .complete, "closed without an answer"), (1, .complete, "short answer of 1 byte"),
      (3, .complete, "short answer of 3 bytes"), (5, .complete, "5 bytes instead of 4"),
      (64, .tooLong, "more than 64 bytes instead of 4"), (3, .unended, "short answer of 3 bytes within 10 s"),
    ] as [(Int, SurveyAnswer.Ending, String)])
  func isFourBytes(count: Int, ending: SurveyAnswer.Ending, reason: String) {
    let outcome = SurveyOutcome.answered(
      SurveyAnswer(
        bytes: UntrustedBytes([UInt8](repeating: 0, count: count)), ending: ending, address: .ipv4(.loopback, port: 37),
        roundTrip: .zero, received: 0))
    #expect(TimeAnswer.read(outcome, within: .seconds(10)) == .failure(reason))
    #expect(TimeAnswer.read(.failed("refused"), within: .seconds(10)) == .failure("refused"))
  }
}
