import Glibc
@_spi(Begat) import UnixCore

/// How often a service manager wants a sign of life.
///
/// Source: sd_watchdog_enabled(3).
public enum ManagerWatchdog {
  /// In nanoseconds; nil when it wants none of this process.
  public static var interval: Int64? {
    guard let text = getenv("WATCHDOG_USEC"), let microseconds = UInt64(decimal: String(cString: text)),
      microseconds > 0
    else { return nil }
    if let process = getenv("WATCHDOG_PID"), pid_t(decimal: String(cString: process)) != getpid() { return nil }
    return Int64(min(microseconds, 1 << 50)) * 1000
  }
}
