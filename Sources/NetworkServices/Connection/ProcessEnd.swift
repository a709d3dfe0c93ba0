import Glibc
@_spi(Begat) import UnixCore

/// The end of this process by a signal: its parent sees the signal, and no exit status made of it.
package enum ProcessEnd {
  /// Ends this process as if the signal had been neither handled, blocked nor ignored; without a core dump, which would
  /// show the wrong process.
  ///
  /// - Returns: where it does not end, the status that a shell would give it.
  package static func by(_ signal: Signal) -> CInt {
    if let hard = try? ResourceLimit.coreSize.current().hard { try? ResourceLimit.coreSize.set(soft: 0, hard: hard) }
    signal.restoreDefault()
    SignalSet(signal).unblock()
    try? signal.raise()
    return 128 + signal.rawValue
  }
}
