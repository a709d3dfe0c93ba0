import Configuration
import ControlProtocol
import Glibc
import Logging
import UnixIPC

/// begatd's loop: it holds the sockets, keeps a listener running for each service, and writes what they report.
///
/// It never accepts a connection and never reads a client's byte.
final class Supervisor {
  enum Token {
    static let signals: UInt64 = .max
  }

  let services: [ManagedService]
  let starter: ListenerStarter
  let resolver: NameResolver?
  let manager = ServiceManager()
  let drainTimeout: Duration
  let logger: Logger
  let recordLog: any RecordLog
  let poller: Poller
  let signals: SignalQueue
  var watch = Watch()
  /// Nil until the stop begins; then when it is to be over, CLOCK_MONOTONIC nanoseconds.
  var stopDeadline: Int64?
  /// Whether all services were ready once.
  private(set) var isStarted = false
  private var exitStatus: CInt = 0
  private let whenReady: () -> Void

  /// - Parameter whenReady: is called once, when every service is served.
  init(
    services: [ManagedService], starter: ListenerStarter, drainTimeout: Duration, logs: Logs,
    whenReady: @escaping () -> Void
  ) throws(CallFailure) {
    self.services = services
    self.starter = starter
    self.resolver = starter.names
    self.drainTimeout = drainTimeout
    logger = logs.logger
    recordLog = logs.records
    self.whenReady = whenReady
    poller = try Poller()
    signals = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp, .child))
    try poller.add(signals.descriptor.number, .readable, token: Token.signals)
    watch = Watch(managerInterval: manager.watchdogInterval)
  }

  /// Runs until it has been stopped; returns the exit status.
  func run() -> CInt {
    startEverything()
    while !isDone {
      poller.wait(milliseconds: timeUntilWork()) { event in
        if event.token != Token.signals { readChannel(of: services[Int(event.token)]) }
      }
      takeSignals()
      startWhatIsDue()
      if watch.isDue { askListeners() }
      if let stopDeadline, Clock.monotonic() >= stopDeadline { killListeners() }
    }
    resolver?.stop()
    return exitStatus
  }

  private var isDone: Bool { stopDeadline != nil && services.allSatisfy { $0.listener == nil } }

  private func startEverything() {
    if let resolver {
      do throws(CallFailure) { try resolver.start() } catch {
        logger.warning("names: \(error); hosts are greeted by address")
      }
    }
    for service in services { service.restartTime = 0 }
    startWhatIsDue()
    checkReadiness()
  }

  /// Says that all is served, when it is.
  func checkReadiness() {
    guard !isStarted, stopDeadline == nil, services.allSatisfy(\.isReady) else { return }
    isStarted = true
    manager.ready(statusText)
    whenReady()
  }

  var statusText: String {
    let running = services.filter(\.isReady).count
    let addresses = services.reduce(0) { $0 + $1.sockets.count }
    return "serving \(running) of \(services.count) services on \(addresses) addresses"
  }

  /// Ends a start that cannot succeed: nothing half-started is left.
  func abandonStart() {
    exitStatus = 1
    stop()
  }

  private func timeUntilWork() -> CInt {
    var due = watch.nextTime
    for service in services { due = min(due, service.restartTime ?? .max) }
    due = min(due, resolver?.restartTime ?? .max, stopDeadline ?? .max)
    return CInt(clamping: max(0, due - Clock.monotonic() + 999_999) / 1_000_000)
  }

  private func takeSignals() {
    while let arrival = signals.take() {
      switch arrival.signal {
      case .child: reapListeners()
      case .terminate, .interrupt, .quit: stop()
      case .hangUp: logger.notice("SIGHUP: this version reads its configuration at start only; restart it")
      default: break
      }
    }
  }
}
