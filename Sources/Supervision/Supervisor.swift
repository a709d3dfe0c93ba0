import Configuration
import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// begatd's loop: it holds the sockets, keeps a listener running for each service, and writes what they report.
///
/// It never accepts a connection and never reads a client's byte.
final class Supervisor {
  enum Token {
    static let signals: UInt64 = .max
    static let resolver: UInt64 = .max - 1
    static let control: UInt64 = .max - 2
    /// Of the first output that waits; listeners have the smaller numbers.
    static let outputs: UInt64 = 1 << 32
  }

  let services: [ManagedService]
  let starter: ListenerStarter
  let resolver: NameResolver?
  let manager: ServiceManager
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
  private let whenReady: () -> [PendingOutput]
  /// What is still to be written to readers that do not read now, by their tokens.
  private var outputs: [UInt64: PendingOutput] = [:]
  var resolverRetry = Retry()
  /// Nil where there are no control sockets.
  var control: ControlServer?
  /// What `status` says of begatd itself.
  var controlFacts = ControlFacts()

  /// - Parameter whenReady: is called once, when every service is served; returns what is to be written then.
  init(
    services: [ManagedService], starter: ListenerStarter, drainTimeout: Duration, logs: Logs,
    whenReady: @escaping () -> [PendingOutput]
  ) throws(SystemCallError) {
    self.services = services
    self.starter = starter
    self.resolver = starter.names
    self.drainTimeout = drainTimeout
    logger = logs.logger
    recordLog = logs.records
    manager = ServiceManager(logger: logs.logger)
    self.whenReady = whenReady
    poller = try Poller()
    signals = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp, .child))
    try poller.add(signals.descriptor.number, .readable, token: Token.signals)
    watch = Watch(managerInterval: manager.watchdogInterval)
  }

  /// Runs until it has been stopped; returns the exit status.
  func run() -> CInt {
    startEverything()
    var lastTurn = SystemClock.monotonic()
    while !isDone {
      let limit = timeUntilWork()
      poller.wait(milliseconds: limit, handle)
      // Stopped, or without a processor, for longer than this turn was to take.
      let now = SystemClock.monotonic()
      let pause = now - lastTurn - Int64(limit) * 1_000_000
      if pause > watch.tolerance { notePause(pause) }
      lastTurn = now
      takeSignals()
      startWhatIsDue()
      if watch.isDue { askListeners() }
      endLateStarters()
      control?.turnIfDue()
      manager.retryIfDue()
      if let stopDeadline, SystemClock.monotonic() >= stopDeadline { killListeners() }
    }
    resolver?.stop()
    control?.close()
    if stopDeadline != nil, isStarted { logger.info("stopped") }
    return exitStatus
  }

  private func handle(_ event: Poller.Event) {
    switch event.token {
    case Token.signals: break
    case Token.resolver: readResolver()
    case Token.control: control?.turn()
    case let token where token >= Token.outputs: writeOutput(token)
    default: readChannel(of: services[Int(event.token)])
    }
  }

  private func writeOutput(_ token: UInt64) {
    guard let output = outputs[token], output.advance() else { return }
    try? poller.remove(output.number)
    outputs[token] = nil
  }

  /// Writes what there is room for, and the rest when the reader reads.
  private func write(_ output: PendingOutput) {
    guard !output.advance() else { return }
    let token = Token.outputs + UInt64(outputs.count)
    guard (try? poller.add(output.number, .writable, token: token)) != nil else { return }
    outputs[token] = output
  }

  private var isDone: Bool { stopDeadline != nil && services.allSatisfy { $0.listener == nil } }

  private func startEverything() {
    if resolver != nil { startResolver() }
    for service in services { service.restartTime = 0 }
    startWhatIsDue()
    checkReadiness()
  }

  /// Says that all is served, when it is.
  func checkReadiness() {
    guard !isStarted, stopDeadline == nil, services.allSatisfy(\.isReady) else { return }
    isStarted = true
    manager.ready(statusText)
    for output in whenReady() { write(output) }
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
    for service in services {
      due = min(due, service.restartTime ?? .max)
      if let listener = service.listener, listener.readySince == nil, !listener.isEnded, stopDeadline == nil {
        due = min(due, listener.startDeadline)
      }
    }
    due = min(due, resolver?.restartTime ?? .max, stopDeadline ?? .max, manager.retryTime ?? .max)
    due = min(due, control?.nextTime ?? .max)
    return CInt(clamping: max(0, due - SystemClock.monotonic() + 999_999) / 1_000_000)
  }

  private func takeSignals() {
    while let arrival = signals.take() {
      switch arrival.signal {
      case .child: reapChildren()
      case .terminate, .interrupt, .quit: stop()
      case .hangUp: logger.notice("SIGHUP: this version reads its configuration at start only; restart it")
      default: break
      }
    }
  }
}
