import Testing

@testable import Clients

@Suite struct LoadProgressTests {
  @Test("says once a second how the last one went")
  func saysHowItGoes() {
    var progress = LoadProgress(start: 5_000_000_000)
    var tally = LoadTally()
    #expect(progress.next(tally, at: 5_999_999_999) == nil)
    for _ in 0..<300 { tally.count(.ok) }
    #expect(progress.next(tally, at: 6_500_000_000) == "1 s: 200/s, 300 ok")
    #expect(progress.next(tally, at: 7_400_000_000) == nil)
    for _ in 0..<50 { tally.count(.ok) }
    tally.count(.reset)
    #expect(progress.next(tally, at: 7_500_000_000) == "2 s: 50/s, 350 ok, 1 failed")
  }
}
