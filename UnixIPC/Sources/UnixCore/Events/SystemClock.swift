import CPlatform
import Glibc

/// Instants as nanoseconds, read without allocating.
///
/// Source: clock_gettime(2), clock_nanosleep(2).
@_spi(Begat) public enum SystemClock {
  /// Nanoseconds of a clock that is never set; timeouts are measured with it.
  public static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds since 1970-01-01 00:00 UTC; may jump.
  public static func wall() -> Int64 { read(CLOCK_REALTIME) }

  /// `monotonic`, by a system call: a process that lives for a few microseconds would pay more for the kernel's page of
  /// functions (vdso(7)), and for the one that leads there.
  public static func monotonicByCall() -> Int64 { platform_clock(CLOCK_MONOTONIC) }

  /// `wall`, by a system call.
  public static func wallByCall() -> Int64 { platform_clock(CLOCK_REALTIME) }

  /// Does nothing for a while, for conditions that no descriptor announces; a deadline of `withDeadline` ends it.
  ///
  /// After a signal it goes on with the time that is left.
  public static func sleep(for duration: Duration) {
    let end = min(Deadline(after: duration), .current)
    let (seconds, nanoseconds) = end.instant.quotientAndRemainder(dividingBy: 1_000_000_000)
    var instant = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
    while !end.hasPassed { clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &instant, nil) }
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Duration {
  /// Whole nanoseconds, as the clock counts; more than 146 years are cut to that, so that instants can be added.
  @_spi(Begat) public var nanoseconds: Int64 {
    // Seconds beyond 64 bits are no `components`: those trap.
    if self >= .seconds(Int64.max / 2_000_000_000) { return .max / 2 }
    if self <= .seconds(Int64.min / 2_000_000_000) { return .min / 2 }
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
