import Glibc
@_spi(Begat) import UnixCore

/// The end of this process by a signal, so that whoever waits for it sees the signal and no status made of it.
enum ProcessEnd {
  /// Ends it as if the signal had been neither taken, blocked nor ignored; without a core, which would be of the wrong
  /// process.
  ///
  /// - Returns: where it does not end, what a shell would call its status.
  static func by(_ signal: Signal) -> CInt {
    if let hard = try? ResourceLimit.coreSize.current().hard { try? ResourceLimit.coreSize.set(soft: 0, hard: hard) }
    signal.restoreDefault()
    SignalSet(signal).unblock()
    try? signal.raise()
    return 128 + signal.rawValue
  }
}
