import Testing

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct TickerTests {
  @Test("is readable when an interval is over, until its ticks are taken")
  func isReadable() throws {
    let start = SystemClock.monotonic()
    let ticker = try Ticker(every: .milliseconds(5))
    let isReadable = ticker.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20)))
    #expect(isReadable && SystemClock.monotonic() - start >= 5_000_000)
    let count = ticker.skipTicks()
    #expect(count >= 1)
  }

  @Test("counts the ticks that were not taken in time")
  func countsTicks() throws {
    let ticker = try Ticker(every: .microseconds(100))
    let start = SystemClock.monotonic()
    var count: UInt64 = 0
    while count < 50, ticker.descriptor.wait(for: .readable, until: Deadline(after: .seconds(20))) {
      count += ticker.skipTicks()
    }
    #expect(count >= 50 && SystemClock.monotonic() - start >= 4_900_000)
  }

  @Test("never waits where no tick has come")
  func neverWaits() throws {
    let ticker = try Ticker(every: .seconds(3600))
    let count = ticker.skipTicks()
    #expect(count == 0)
  }
}
