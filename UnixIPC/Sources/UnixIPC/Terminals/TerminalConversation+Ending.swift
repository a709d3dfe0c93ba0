import Glibc
@_spi(Begat) import UnixCore

extension TerminalConversation {
  /// Waits for the program's end, while taking what it writes, and kills what it left in its session.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when the conversation's cancellation is cancelled.
  @discardableResult
  public mutating func waitForExit(until deadline: Deadline = .never) throws(SystemCallError) -> ExitStatus {
    // Else it might wait for room for its last words, and never end.
    while !channel.hasEnded {
      if try fill() {
        try channel.mustBeWanted()
        if deadline.isExpired { throw SystemCallError("poll", on: terminalPath, code: .timedOut) }
      } else if !channel.hasEnded {
        try waitForEvent(until: deadline)
      }
    }
    // It may live on without its terminal.
    while !channel.session.hasEnded { try waitForEvent(until: deadline) }
    guard let status = try channel.session.status(until: deadline) else {
      throw SystemCallError("poll", on: terminalPath, code: .timedOut)
    }
    return status
  }

  private mutating func waitForEvent(until deadline: Deadline) throws(SystemCallError) {
    var others = PollSet()
    guard try channel.wait(also: &others, until: deadline) else {
      throw SystemCallError("poll", on: terminalPath, code: .timedOut)
    }
  }

  /// Ends the session: SIGTERM to all its processes, after half of the grace period SIGHUP, which interactive shells obey,
  /// and at the end of it SIGKILL.  What the program writes meanwhile can be read afterwards.
  ///
  /// A deadline of `withDeadline` cuts the grace period short.
  ///
  /// - Returns: how the program ended.
  @discardableResult
  public mutating func terminate(gracePeriod: Duration = .seconds(5)) -> ExitStatus {
    channel.cancellation = nil
    for signal in [Signal.terminate, .hangUp] {
      if channel.session.hasEnded { break }
      send(signal)
      // A stopped process ends only after it was continued.
      send(.continue)
      if let status = try? waitForExit(until: Deadline(after: gracePeriod / 2)) { return status }
    }
    send(.kill)
    return channel.session.reapKilled()
  }
}
