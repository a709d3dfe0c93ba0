import NetworkServices
import UnixIPC

/// The end of a connection process by a signal, which its listener then sees as what it is.
enum ProcessEnd {
  /// Ends the calling process as if the signal had been neither taken nor blocked.
  ///
  /// - Returns: where it does not end, what a shell would say of it.
  static func by(_ signal: Signal) -> ConnectionFailure {
    signal.restoreDefault()
    SignalSet(signal).unblock()
    try? signal.raise()
    return .exited(UInt8(truncatingIfNeeded: 128 + signal.rawValue))
  }
}

extension Connection {
  /// Ends the process by a limit that was kept without the alarm.
  func endProcess(missing limit: Waiting) -> ConnectionFailure {
    noteMissed(limit)
    return ProcessEnd.by(.alarm)
  }
}
