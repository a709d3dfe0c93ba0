import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// begatd's reports to the service manager that started it.
///
/// A report that was not delivered is sent again at growing intervals, so that a manager that does not read costs begatd
/// next to nothing.
///
/// Source: sd_notify(3).
final class ServiceManager {
  /// How often the manager wants to hear that all is well, in nanoseconds; nil when it does not.
  let watchdogInterval: Int64?
  /// When what was not delivered is to be sent again, CLOCK_MONOTONIC nanoseconds; nil if nothing is.
  private(set) var retryTime: Int64?
  private var socket = NotifySocket()
  private let logger: Logger
  private var undelivered = News()
  private var retry: Retry

  /// What is still to be said.
  private struct News {
    /// When a reload began, CLOCK_MONOTONIC microseconds.
    var reloadTime: Int64?
    var isReady = false
    var isStopping = false
    /// For how long it is to wait for the next such message, microseconds.
    var timeoutExtension: Int64?
    var isAlive = false
    var status: String?

    /// Nil if there is none.
    var text: String? {
      let lines = [
        isReady ? "READY=1" : nil, isStopping ? "STOPPING=1" : nil, isAlive ? "WATCHDOG=1" : nil,
        timeoutExtension.map { "EXTEND_TIMEOUT_USEC=\($0)" },
        status.map { "STATUS=\($0)" },
      ].compactMap { $0 }
      return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
  }

  init(logger: Logger) {
    self.logger = logger
    watchdogInterval = ManagerWatchdog.interval
    retry = ServiceManager.retry(watchdogInterval: watchdogInterval)
  }

  /// How often a message that was not delivered is sent again: at least four times in the interval after which the
  /// manager takes begatd for hung, or one failure would make the sign of life come too late.
  static func retry(watchdogInterval: Int64?) -> Retry {
    let longest = min(10_000_000_000, max(1_000_000, (watchdogInterval ?? .max) / 4))
    return Retry(shortest: min(100_000_000, longest), longest: longest)
  }

  /// Another configuration is read.  The manager takes both fields from one message only.
  func reloading(_ status: String) {
    undelivered.reloadTime = SystemClock.monotonic() / 1000
    undelivered.isReady = false
    say("\(status); reloading")
  }

  /// All services are served, at the start or after a reload.
  func ready(_ status: String) {
    undelivered.isReady = true
    say(status)
  }

  func status(_ status: String) { say(status) }

  /// begatd stops.
  ///
  /// - Parameter limit: for how long the manager is to wait, whatever its own limit; another message will follow or
  ///   begatd will have ended.
  func stopping(_ status: String, extendingBy limit: Duration?) {
    undelivered.isStopping = true
    undelivered.timeoutExtension = limit.map { $0.nanoseconds / 1000 }
    say(status)
  }

  /// Only if the manager asked for signs of life.
  func isAlive() {
    guard watchdogInterval != nil else { return }
    undelivered.isAlive = true
    deliver()
  }

  /// Sends what could not be delivered, if it is time.
  func retryIfDue() { if retryTime != nil { deliver() } }

  private func say(_ status: String) {
    undelivered.status = status
    deliver()
  }

  private func deliver() {
    guard socket != nil, let text = undelivered.text else { return }
    if let retryTime, SystemClock.monotonic() < retryTime { return }
    if let failure = sendReloading() ?? send(text) {
      let (delay, isNews) = retry.failed("\(failure)")
      retryTime = SystemClock.monotonic() + delay
      if isNews {
        logger.warning("service manager: \(failure); it is told later; look at what reads $NOTIFY_SOCKET")
      }
    } else {
      undelivered = News()
      retryTime = nil
      if retry.succeeded() > 0 { logger.notice("service manager: it can be told again") }
    }
  }

  /// A reload is announced by a message of its own: its end may have to be told by the next one.
  private func sendReloading() -> SystemCallError? {
    guard let time = undelivered.reloadTime else { return nil }
    if let failure = send("RELOADING=1\nMONOTONIC_USEC=\(time)") { return failure }
    undelivered.reloadTime = nil
    return nil
  }

  /// How long one message may take, where the manager's queue is full.
  private static let patience = Duration.milliseconds(20)

  /// - Returns: why the message was not delivered.
  private func send(_ text: String) -> SystemCallError? {
    let deadline = Deadline(after: ServiceManager.patience)
    while true {
      do throws(SystemCallError) {
        try socket?.send(text)
        return nil
      } catch {
        let hasRoom = error.code == .wouldBlock && socket?.awaitRoom(until: deadline) ?? false
        guard hasRoom, !deadline.hasPassed else { return error }
      }
    }
  }
}
