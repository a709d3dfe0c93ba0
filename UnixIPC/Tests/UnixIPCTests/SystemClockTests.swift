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

  @Test("says the same by a system call")
  func saysTheSameByCall() {
    let monotonic = SystemClock.monotonic()
    let byCall = SystemClock.monotonicByCall()
    #expect((monotonic...SystemClock.monotonic()).contains(byCall))
    let wall = SystemClock.wall()
    #expect(abs(SystemClock.wallByCall() - wall) < 60_000_000_000)
  }

  @Test("waits for input without a clock, and knows how much time is left")
  func waitsWithoutAClock() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let began = SystemClock.monotonic()
    var left = timespec(tv_sec: 0, tv_nsec: 5_000_000)
    let isEarly = reading.waitForInput(&left)
    #expect(!isEarly)
    #expect(left.tv_sec == 0 && left.tv_nsec == 0)
    #expect(SystemClock.monotonic() - began >= 5_000_000)
    try writing.writeAll("x")
    left = timespec(tv_sec: 600, tv_nsec: 0)
    let isThere = reading.waitForInput(&left)
    #expect(isThere)
    #expect(left.tv_sec >= 500)
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
