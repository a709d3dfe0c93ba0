import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct SystemClockTests {
  @Test("never goes back where it is monotonic")
  func neverGoesBack() {
    var previous = SystemClock.monotonic()
    for _ in 0..<10_000 {
      let now = SystemClock.monotonic()
      #expect(now >= previous)
      previous = now
    }
  }

  @Test("sleeps for as long as it is told")
  func sleeps() {
    let end = Deadline(after: .milliseconds(5))
    SystemClock.sleep(for: .milliseconds(5))
    #expect(end.hasPassed)
  }

  @Test("agrees with the C library's clocks")
  func agrees() {
    let before = time(nil)
    let now = SystemClock.wall() / 1_000_000_000
    // time(2) may lag by a timer tick.
    #expect((before...(time(nil) + 1)).contains(time_t(now)))
  }

  @Test(
    "counts durations in nanoseconds, without overflow",
    arguments: [
      (.zero, 0), (.nanoseconds(1), 1), (.seconds(-1), -1_000_000_000), (.seconds(Int64.max), .max / 2),
      (.seconds(Int64.min), .min / 2), (.milliseconds(1500), 1_500_000_000),
      (.seconds(-9_223_372_036) - .nanoseconds(999_999_999), .min / 2),
      (.seconds(-4_611_686_017), -4_611_686_017_000_000_000),
    ] as [(Duration, Int64)])
  func countsNanoseconds(duration: Duration, nanoseconds: Int64) { #expect(duration.nanoseconds == nanoseconds) }
}
