import Glibc
@_spi(Begat) import UnixCore

/// The processes behind a pipe, in the order in which the bytes go through them.
///
/// When the last copy of this value is let go of, they are killed and reaped, as a `ChildProcess` is.
public struct PipelineProcesses: Sendable {
  private var boxes: [ChildBox] = []

  init() {}
  init(_ child: consuming ChildProcess) { append(child) }

  mutating func append(_ child: consuming ChildProcess) { boxes.append(ChildBox(child)) }

  /// The processes' numbers, the first stage's first.
  public var processes: [pid_t] { boxes.map { $0.child.process } }

  /// How each process ended, the first stage's first; nil for one that has not ended.  The call does not wait.
  public var statuses: [ExitStatus?] { boxes.map { $0.child.status(until: .immediate) } }

  /// Waits for the end of all processes.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: how each ended, the first stage's first.
  /// - Throws: `ETIMEDOUT` if one has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  They may be
  ///   waited for again then.
  @discardableResult
  public func waitForExit(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [ExitStatus] {
    var statuses: [ExitStatus] = []
    for box in boxes { statuses.append(try box.child.waitForExit(until: deadline, cancelledBy: cancellation)) }
    return statuses
  }

  /// Ends all processes: SIGTERM, and SIGKILL to those that have not ended within the grace period.
  ///
  /// - Returns: how each ended, the first stage's first.
  @discardableResult
  public func terminate(gracePeriod: Duration = .seconds(5)) -> [ExitStatus] {
    boxes.terminate(gracePeriod: gracePeriod)
  }

  /// The halves of `terminate`; the pipe is closed between them.
  func requestEnd() { boxes.requestEnd() }

  func endOrKill(gracePeriod: Duration) -> [ExitStatus] { boxes.endOrKill(gracePeriod: gracePeriod) }

  /// Of a pipeline the status of the last stage that failed, else success, as a shell with `pipefail` reports it.
  static func summary(_ statuses: [ExitStatus]) -> ExitStatus { statuses.last { !$0.isSuccess } ?? .exited(code: 0) }
}
