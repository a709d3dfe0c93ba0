import Glibc

/// Instants as nanoseconds, read without allocating.
///
/// Source: clock_gettime(2).
public enum Clock {
  /// Nanoseconds of a clock that is never set; time-outs are measured with it.
  public static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds since 1970-01-01 00:00 UTC; may jump.
  public static func wall() -> Int64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
