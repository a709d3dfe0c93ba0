import Configuration
import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// begatd's loop: it holds the sockets, keeps a listener running for each service, and writes what they report.
///
/// It never accepts a connection and never reads a client's byte.
final class Supervisor {
  /// The services of the configuration, in its order.
  var services: [ManagedService] { didSet { hasChangedServices = true } }
  /// Services that the configuration has given up, until their last connection has ended.
  var leaving: [ManagedService] { didSet { hasChangedServices = true } }
  /// Whether there are other services than the service manager was told to keep.
  var hasChangedServices = true
  /// The service manager's store for what outlives this begatd; nil if it has none.
  let store: DescriptorStore?
  /// The counts of services that are gone.
  var pastCounters: PastCounters
  var starter: ListenerStarter
  let manager: ServiceManager
  var logger: Logger
  let recordLog: any RecordLog
  /// Nil where messages go to no file of begatd's.
  let logFile: LogFile?
  var logFileToken: PollTable.Token?
  let poll: PollTable
  let signals: SignalQueue
  var watch = Watch()
  var stopping = StopState()
  /// Whether begatd ends before the connections of its listeners do.
  var leavesListeners: Bool { invocation.leavesListeners }
  var drainWaits = DrainWaits<ManagedService, ControlReply>()
  /// Whether all services were ready once.
  private(set) var isStarted = false
  private var exitStatus: CInt = 0
  private let whenReady: () -> [PendingOutput]
  var reloads: ReloadState
  var endOrders = EndOrders()
  /// Resumptions that wait for a listener to close its sockets.
  var resumptions: [Resumption] = []
  /// Names of services that were drained when the configuration gave them up: if it has them again, they still are.
  var keptDrains: Set<String> = []
  /// The number of each name that a service ever had, for the table of bans.
  private(set) var serviceNumbers: [String: UInt32]
  var resolverRetry = Retry()
  var resolverToken: PollTable.Token?
  /// Resolvers that were ended because no service needs them, until they are reaped.
  var formerResolvers: [pid_t] = []
  /// Nil where there are no control sockets.
  var control: ControlServer?
  /// How begatd was started, for a program that takes its place.
  let invocation: Invocation
  /// Nil unless one is under way.
  var upgrade: UpgradeState?
  /// The files of the configuration in force.
  var configurationVersion: ConfigurationVersion
  /// Facts of begatd itself, for `status`.
  var controlFacts = ControlFacts()
  /// The state that listeners of `status` and `haproxy-agent` show.
  var sharing: StateSharing

  /// - Parameter whenReady: is called once, when every service is served; returns what is to be written then.
  init(
    _ first: FirstServices, store: DescriptorStore?, starter: ListenerStarter, daemon: DaemonSettings,
    loader: ConfigurationLoader, logs: Logs, configurationVersion: ConfigurationVersion, invocation: Invocation,
    whenReady: @escaping () -> [PendingOutput]
  ) throws(SystemCallError) {
    services = first.services
    leaving = first.leaving
    pastCounters = first.pastCounters
    self.store = store
    sharing = StateSharing(lastBoard: first.lastBoard)
    self.starter = starter
    logger = logs.logger
    recordLog = logs.records
    logFile = logs.file
    manager = ServiceManager(logger: logs.logger)
    self.whenReady = whenReady
    self.configurationVersion = configurationVersion
    self.invocation = invocation
    reloads = ReloadState(loader: loader, daemon: daemon)
    serviceNumbers = first.numbers
    poll = try PollTable()
    signals = try SignalQueue(SignalSet(.terminate, .interrupt, .quit, .hangUp, .child, .user1))
    // Signals are taken in each turn of the loop: it is only to be woken.
    _ = try poll.add(signals.descriptor.number, .readable) { _ in }
    watch = Watch(managerInterval: manager.watchdogInterval)
    _ = try poll.add(reloads.loader.number, .readable) { [unowned self] _ in configurationLoaded() }
    store?.take(poll)
    for service in allServices { for generation in service.generations { try watch(generation, of: service) } }
  }

  var resolver: NameResolver? { starter.names }
  var drainTimeout: Duration { starter.drainTimeout }
  /// Nil as long as clients are accepted; then when listeners are killed that are left, CLOCK_MONOTONIC nanoseconds.
  var stopDeadline: Int64? { stopping.killTime }

  /// Every service that has processes, those that are going away last.
  var allServices: [ManagedService] { leaving.isEmpty ? services : services + leaving }

  /// Runs until it has been stopped; returns the exit status.
  ///
  /// - Parameter adoption: what was taken over from the program before, in the same process.
  func run(adopting adoption: Adoption? = nil) -> CInt {
    watchLogFile()
    if let adoption {
      isStarted = true
      goOn(after: adoption)
    } else {
      startEverything()
      // Those that ended before their signals were waited for, as a container's first process may inherit them.
      reapChildren()
    }
    var lastTurn = SystemClock.monotonic()
    while !isDone {
      let limit = timeUntilWork()
      poll.wait(milliseconds: limit)
      // Stopped, or without a processor, for longer than this turn was to take.
      let now = SystemClock.monotonic()
      let pause = now - lastTurn - Int64(limit) * 1_000_000
      if pause > watch.tolerance { notePause(pause) }
      lastTurn = now
      takeSignals()
      startReloadIfDue()
      startWhatIsDue()
      if watch.isDue { askListeners() }
      endLateStarters()
      endDisobedient()
      endLateRetirements()
      advanceDrains()
      advanceStop()
      advanceUpgrade()
      retryReload()
      retryResumptions()
      endLateReload()
      endLateOrders()
      endLingering()
      control?.turnIfDue()
      manager.retryIfDue()
      advanceStore()
      restartLogFileIfDue()
      stopLastServices()
      shareState()
    }
    giveUpDrainWaits()
    leaveListeners()
    resolver?.stop()
    control?.close()
    if stopDeadline != nil, isStarted { logger.info("stopped") }
    if let lost = logFile?.close(), lost > 0 {
      // No other place is left for it.
      StandardErrorMessage.write("log-file: \(counted(lost, "message", "messages")) lost at the end", of: "begatd")
    }
    return exitStatus
  }

  /// Writes what there is room for, and the rest when the reader reads.
  private func write(_ output: PendingOutput) {
    guard !output.advance() else { return }
    var token: PollTable.Token?
    token = try? poll.add(output.number, .writable) { [unowned self] _ in
      if output.advance(), let token { poll.remove(token) }
    }
  }

  private func startEverything() {
    // Before all else: whatever happens from here on, the next begatd has them.
    keepWhatHasChanged()
    if resolver != nil { startResolver() }
    for service in services { service.restartTime = 0 }
    startWhatIsDue()
    checkReadiness()
  }

  /// Announces that all is served, once it is.
  func checkReadiness() {
    guard !isStarted, stopDeadline == nil, services.allSatisfy({ $0.isServing || $0.drain.isClosed }) else {
      return
    }
    isStarted = true
    // Not a moment later: the next thing may be a question whether it is ready.
    writeState(now: SystemClock.monotonic())
    manager.ready(statusText)
    for output in whenReady() { write(output) }
  }

  var statusText: String {
    guard !stopping.isOrdered else { return stoppingText }
    let running = services.filter { $0.isServing }
    let addresses = running.reduce(0) { $0 + $1.sockets.count }
    return "serving \(running.count) of \(services.count) services on \(counted(addresses, "address", "addresses"))"
      + Supervisor.list("soon drained", services.filter { $0.drain.announcementEnd != nil })
      + Supervisor.list("drained", services.filter(\.drain.isClosed))
  }

  /// A part of the status about some services, which are named if they are few.
  private static func list(_ state: String, _ services: [ManagedService]) -> String {
    guard !services.isEmpty else { return "" }
    return "; \(state): " + (services.count <= 4 ? services.map(\.name).joined(separator: ", ") : "\(services.count)")
  }

  /// Ends a start that cannot succeed: nothing half-started is left.
  func abandonStart() {
    exitStatus = 1
    stopImmediately()
  }

  /// The number of a service in the table of bans: a name keeps it, also when it comes back after a while.
  func number(ofService name: String) -> UInt32 {
    if let number = serviceNumbers[name] { return number }
    let number = serviceNumbers.nextNumber
    serviceNumbers[name] = number
    return number
  }

  /// The service that has a number in the table of bans; nil for 0, which means all.
  func nameOfService(_ number: UInt32) -> String? { serviceNumbers.first { $0.value == number }?.key }

  private func timeUntilWork() -> CInt {
    var due = min(watch.nextTime, drainTime)
    for service in allServices {
      due = min(due, service.restartTime ?? .max, service.lingerDeadline ?? .max)
      for generation in service.generations {
        if !generation.isReady, !generation.isKilled, stopDeadline == nil { due = min(due, generation.startDeadline) }
        if !generation.isKilled {
          due = min(due, generation.endDeadline ?? .max, generation.retirementDeadline ?? .max)
        }
        if let deadline = generation.outbox.retirementDeadline { due = min(due, deadline) }
      }
    }
    let others: [Int64?] = [
      reloadTime, reloads.loadDeadline, endOrders.deadline, resolver?.restartTime, stopping.nextTime,
      manager.retryTime, store?.retryTime, reloads.storeDeadline, control?.nextTime, logFile?.restartTime,
      reloads.waiting?.wait.nextTime,
      resumptions.compactMap(\.wait?.nextTime).min(), sharing.nextTime, upgrade?.nextTime,
    ]
    for case .some(let other) in others { due = min(due, other) }
    return CInt(clamping: max(0, due - SystemClock.monotonic() + 999_999) / 1_000_000)
  }

  /// How many signals are taken before anything else is looked at: where begatd and its programs have one user, they can
  /// send them without end.
  private static let signalsPerTurn = 64

  private func takeSignals() {
    for _ in 0..<Supervisor.signalsPerTurn {
      guard let arrival = signals.take() else { return }
      switch arrival.signal {
      case .child: reapChildren()
      case .terminate, .interrupt, .quit: takeStopSignal()
      case .hangUp: requestReload(.signal)
      case .user1: logFile?.reopen()
      default: break
      }
    }
  }
}
