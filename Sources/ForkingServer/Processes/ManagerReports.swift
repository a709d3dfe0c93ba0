import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// Reports of a listener without begatd to the service manager that started it.
///
/// It never waits: a report that finds the manager's queue full is sent again a moment later.  The socket is connected
/// before the listener confines itself.  Connection processes and programs get neither the socket nor its name.
struct ManagerReports: ~Copyable {
  private var socket: NotifySocket?
  /// The time between two signs of life: half of that after which the manager takes the listener for hung.
  private let interval: Duration?
  /// When the next sign of life, or what could not be delivered, is due.
  private(set) var due = Deadline.never
  /// The lines that are still to be delivered.
  private var isReadyOwed = false
  private var isStoppingOwed = false
  private var isSignOwed = false
  private var status: String?
  private var timeoutExtension: Int64?
  /// Whether a failure was logged already.
  private var hasFailed = false

  /// - Parameter isUsed: false for a listener that reports to begatd.
  init(isUsed: Bool) {
    socket = isUsed ? NotifySocket() : nil
    interval = isUsed ? ManagerWatchdog.interval.map { .nanoseconds($0 / 2) } : nil
  }

  /// Whether there is a manager to be told.
  var isUsed: Bool {
    switch socket {
    case .some: true
    case nil: false
    }
  }

  private static let retryInterval: Duration = .milliseconds(100)
  /// For a manager that is not there.
  private static let absenceInterval: Duration = .seconds(10)

  /// The listener is ready.
  ///
  /// - Parameter status: what it serves, and where.
  mutating func ready(_ status: String) {
    isReadyOwed = true
    self.status = status
    // The first sign of life is due immediately: from readiness on, the manager waits for it.
    due = .now
  }

  /// The listener accepts no more.
  ///
  /// - Parameter limit: for how long it may take to end.
  mutating func stopping(_ status: String, within limit: Duration) {
    isStoppingOwed = true
    self.status = status
    timeoutExtension = limit.nanoseconds / 1000
    due = .now
  }

  /// Sends what is due.
  ///
  /// - Returns: a failure that is to be logged.
  mutating func advance(_ now: Deadline) -> String? {
    guard due <= now else { return nil }
    if interval != nil { isSignOwed = true }
    do throws(SystemCallError) {
      try deliver()
      due = interval.map { now.advanced(by: $0) } ?? .never
      return nil
    } catch {
      due = now.advanced(by: error.code == .wouldBlock ? ManagerReports.retryInterval : ManagerReports.absenceInterval)
      guard error.code != .wouldBlock, !hasFailed else { return nil }
      hasFailed = true
      return "the service manager cannot be told: \(error)"
    }
  }

  private mutating func deliver() throws(SystemCallError) {
    var lines: [String] = []
    if isReadyOwed { lines.append("READY=1") }
    if isStoppingOwed { lines.append("STOPPING=1") }
    if isSignOwed { lines.append("WATCHDOG=1") }
    if let timeoutExtension { lines.append("EXTEND_TIMEOUT_USEC=\(timeoutExtension)") }
    if let status { lines.append("STATUS=\(status)") }
    guard !lines.isEmpty else { return }
    try socket?.send(lines.joined(separator: "\n"))
    (isReadyOwed, isStoppingOwed, isSignOwed) = (false, false, false)
    status = nil
    timeoutExtension = nil
  }
}

extension Listener {
  /// The status that the service manager gets when the listener is ready; nil without a service manager.
  var readyStatus: String? {
    guard manager.isUsed else { return nil }
    let all = sockets.shownAddresses.map { $0.isDatagram ? "\($0.text) (datagram)" : $0.text }
    let some = all.prefix(8).joined(separator: ", ")
    return "serving \(options.name) on \(some)" + (all.count > 8 ? " and \(all.count - 8) others" : "")
  }

  /// Tells the service manager that no client is accepted any more.
  mutating func tellStopping(_ timeout: Duration, gracePeriod: Duration) {
    manager.stopping(
      "stopping; connections may go on for \(DurationText.render(timeout))", within: timeout + gracePeriod + .seconds(2)
    )
    tellManager(.now)
  }

  mutating func tellManager(_ now: Deadline) {
    if let failure = manager.advance(now) { reporter.log(.warning, failure) }
  }
}
