import CSystemd
import Glibc

/// What begatd tells the service manager that started it, if one did.
///
/// Source: sd_notify(3), sd_watchdog_enabled(3).
struct ServiceManager {
  /// How often the manager wants to hear that all is well, in nanoseconds; nil when it does not.
  let watchdogInterval: Int64?

  init() {
    var microseconds: UInt64 = 0
    let isEnabled = sd_watchdog_enabled(0, &microseconds) > 0
    watchdogInterval = isEnabled ? Int64(clamping: microseconds) * 1000 : nil
  }

  /// All services are served.
  func ready(_ status: String) { notify("READY=1\nSTATUS=\(status)") }
  func status(_ status: String) { notify("STATUS=\(status)") }
  func stopping(_ status: String) { notify("STOPPING=1\nSTATUS=\(status)") }
  func isAlive() { notify("WATCHDOG=1") }

  private func notify(_ message: String) { sd_notify(0, message) }
}
