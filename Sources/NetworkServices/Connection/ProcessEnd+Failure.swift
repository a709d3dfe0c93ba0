@_spi(Begat) import UnixCore

extension ProcessEnd {
  /// Ends this connection process by a signal, which its listener then sees as what it is.
  ///
  /// - Returns: where it does not end, the failure with the status that a shell would give it.
  package static func failure(by signal: Signal) -> ConnectionFailure { .exited(UInt8(truncatingIfNeeded: by(signal))) }
}

extension Connection {
  /// Ends the process by a limit that was kept without the alarm.
  package func endProcess(missing limit: Waiting) -> ConnectionFailure {
    noteMissed(limit)
    return ProcessEnd.failure(by: .alarm)
  }
}
