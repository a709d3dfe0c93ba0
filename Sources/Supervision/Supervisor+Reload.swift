import Configuration
import Control
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Putting another configuration in force without a client noticing: the first half can fail and changes nothing, the
/// second cannot fail.
extension Supervisor {
  func requestReload(_ asker: ReloadAsker) { reloads.queue.ask(asker, isSpaced: !asker.isDryRun) }

  /// When a reload is to be started, CLOCK_MONOTONIC nanoseconds; nil if none is wanted.
  var reloadTime: Int64? { isStarted && upgrade == nil && !stopping.isOrdered ? reloads.queue.startTime : nil }

  func startReloadIfDue() {
    let now = SystemClock.monotonic()
    if stopping.isOrdered, reloads.queue.pending != nil, reloads.queue.running == nil {
      reloads.queue.start(at: now)
      return answerReload(.failure(ControlFailure("begatd is stopping")))
    }
    guard let due = reloadTime, due <= now else { return }
    reloads.queue.start(at: now)
    reloads.startTime = now
    reloads.report = nil
    reloads.failures = []
    reloads.awaited = []
    if !reloads.isDryRun { manager.reloading(statusText) }
    reloads.loadDeadline = now + ReloadState.loadPatience
    do throws(SystemCallError) { try reloads.loader.start(isTrial: reloads.isDryRun) } catch {
      refuseReload(["\(error)"])
    }
  }

  /// Gives up a configuration that is not read in time.
  func endLateReload() {
    guard let deadline = reloads.loadDeadline, deadline <= SystemClock.monotonic() else { return }
    reloads.loader.giveUp()
    let limit = DurationText.render(.nanoseconds(ReloadState.loadPatience))
    refuseReload(["the configuration was not read within \(limit); look at its file system and at the name service"])
  }

  /// The loader has read the configuration, or found that it does not check.
  func configurationLoaded() {
    guard let result = reloads.loader.take(), reloads.queue.running != nil else { return }
    reloads.loadDeadline = nil
    guard !stopping.isOrdered else { return answerReload(.failure(ControlFailure("begatd is stopping"))) }
    switch result {
    case .failure(let problems): refuseReload(problems.problems.map(\.description))
    case .success(let loaded): putInForce(loaded)
    }
  }

  /// Tries again what failed because a listener had not closed its sockets yet.
  func retryReload() {
    guard let (loaded, wait) = reloads.waiting else { return }
    if stopping.isOrdered {
      reloads.waiting = nil
      return answerReload(.failure(ControlFailure("begatd is stopping")))
    }
    guard wait.nextTime <= SystemClock.monotonic() else { return }
    reloads.waiting = nil
    putInForce(loaded, after: wait)
  }

  /// - Parameter wait: for listeners that were closing their sockets; nil at the first attempt.
  private func putInForce(_ loaded: LoadedConfiguration, after wait: ClosingWait? = nil) {
    let owners = services.flatMap { service in service.sockets.map { _ in service } }
    let sockets = services.flatMap(\.sockets)
    let plan = ReloadPlan(
      from: services.map { ReloadPlan.Running(configuration: $0.configuration, inputs: $0.inputs) },
      daemon: reloads.daemon, open: zip(sockets, owners).map { $0.open(of: $1.name) },
      drained: Set(services.filter(\.drain.isClosed).map(\.name)).union(keptDrains), to: loaded)
    if reloads.isDryRun { return answerReload(.reload(plan.report(isDryRun: true))) }
    do throws(ReloadRefusal) {
      let transaction = try ReloadTransaction(
        plan, open: sockets, owners: owners, services: allServices, starter: starter, number: number(ofService:))
      noteReload(loaded.configuration)
      configurationVersion = loaded.version
      commit(transaction, open: sockets, owners: owners, loaded.configuration.daemon)
    } catch {
      guard error.isAddressInUse, let wait = waitForClosing(after: wait) else { return refuseReload(error.lines) }
      reloads.waiting = (loaded, wait)
    }
  }

  /// Nil if no listener is closing its sockets, or has had its time.
  func waitForClosing(after last: ClosingWait?) -> ClosingWait? {
    let now = SystemClock.monotonic()
    guard allServices.contains(where: { $0.generations.contains { $0.isClosingSockets(at: now) } }) else { return nil }
    return ClosingWait(after: last, at: now)
  }

  // MARK: The second half

  private func commit(
    _ transaction: ReloadTransaction, open: [HeldSocket], owners: [ManagedService], _ daemon: DaemonSettings
  ) {
    let plan = transaction.plan
    for warning in transaction.warnings {
      logger.warning("\(warning.text)", metadata: [LogKey.service: "\(warning.service)"])
    }
    reloads.report = plan.report(isDryRun: false)
    apply(daemon)
    var givenUp: [ObjectIdentifier: [HeldSocket]] = [:]
    for index in plan.sockets.rest { givenUp[ObjectIdentifier(owners[index]), default: []].append(open[index]) }
    let removed = plan.removed.map { services[$0] }
    var next: [ManagedService?] = Array(repeating: nil, count: plan.wanted.count)
    for change in plan.kept {
      let service = services[change.old]
      service.adopt(plan.wanted[change.new])
      service.replaceSockets(transaction.sockets[change.new], closing: givenUp[ObjectIdentifier(service)] ?? [])
      // A drained service gets its new listener when it is resumed.
      if change.needsListener, !service.drain.isClosed { wantListener(of: service) }
      next[change.new] = service
    }
    let added = plan.added.filter { !transaction.inactive.contains($0) }
    for (index, service) in zip(added, transaction.added) {
      pastCounters.pass(to: service, from: leaving)
      service.skipGenerations(of: leaving)
      next[index] = service
      guard keptDrains.remove(service.name) != nil else {
        wantListener(of: service)
        continue
      }
      _ = service.drain.close()
    }
    services = next.compactMap { $0 }
    // Before any listener closes them: at a socket that the manager alone has, clients would wait in vain.
    keepDescriptors(departing: removed)
    if !givenUp.isEmpty { awaitStore() }
    // A drained service may have left a passed socket to another one.
    for service in services where !service.drain.isClosed { for socket in service.sockets { socket.takeNewClients() } }
    starter.datagramPorts = services.datagramPorts
    for service in removed { remove(service, givenUp[ObjectIdentifier(service)] ?? []) }
    if let resolver, !resolver.use(plan.resolver) {
      logger.notice("names: there is no other user for the resolver, which keeps its own and goes on")
    }
    if let resolver = transaction.resolver {
      starter.names = resolver
      startResolver()
    }
    startWhatIsDue()
    endResolverIfUnused()
    finishReloadIfDone()
  }

  private func apply(_ daemon: DaemonSettings) {
    reloads.daemon.logLevel = daemon.logLevel
    reloads.daemon.drainTimeout = daemon.drainTimeout
    reloads.daemon.announceTime = daemon.announceTime
    starter.drainTimeout = daemon.drainTimeout
    reloads.daemon.logFile = daemon.logFile
    logFile?.reopen(path: daemon.logFile)
    logger.logLevel = Logger.Level(rawValue: daemon.logLevel.rawValue) ?? .info
  }

  func wantListener(of service: ManagedService) {
    logger.info("\(service.configuration.limitsText)", metadata: service.logMetadata)
    service.restartTime = 0
    service.startRetry = .ofListeners
    reloads.awaited.append(service)
  }

  /// Gives a service up: what waits at its sockets is accepted, and its connections end by themselves.
  private func remove(_ service: ManagedService, _ givenUp: [HeldSocket]) {
    if service.drain.phase != .serving { keptDrains.insert(service.name) }
    _ = service.drain.close()
    service.drainDeadline = SystemClock.monotonic() + drainTimeout.nanoseconds
    service.restartTime = nil
    service.waitsForRoom = false
    discardSuccessor(of: service)
    refuseNewClients(at: givenUp, of: service)
    if let current = service.current {
      // Other services go on with the rest of its sockets.
      let closes = !givenUp.isEmpty
      retire(current, of: service, Retirement(closesSockets: closes, drainTimeout: drainTimeout))
    }
    service.releaseSockets(givenUp)
    if service.generations.isEmpty { pastCounters.keep(service) } else { leaving.append(service) }
  }

  // MARK: The end

  /// A new listener serves, or waits only for the program of the one before to end.
  func settleReload(_ service: ManagedService, failure: String? = nil) {
    guard reloads.report != nil else { return }
    reloads.settle(service, failure: failure)
    finishReloadIfDone()
  }

  /// Lets the answer wait until the service manager has closed what was given up.
  private func awaitStore() {
    guard let store else { return }
    store.awaitReading()
    reloads.storeDeadline = SystemClock.monotonic() + ReloadState.storePatience
  }

  /// Sends what the service manager is to keep, and ends the reload that has waited for its reading.
  func advanceStore() {
    guard let store else { return }
    keepWhatHasChanged()
    store.retryIfDue()
    guard let deadline = reloads.storeDeadline,
      !store.isAwaitingReading || deadline <= SystemClock.monotonic()
    else { return }
    store.endBarrier()
    reloads.storeDeadline = nil
    finishReloadIfDone()
  }

  func finishReloadIfDone() {
    guard let report = reloads.report, reloads.awaited.isEmpty, reloads.storeDeadline == nil else { return }
    reloads.report = nil
    if let upgrade = reloads.upgrade { return finishUpgrade(upgrade) }
    let duration = DurationText.render(.milliseconds((SystemClock.monotonic() - reloads.startTime) / 1_000_000))
    let failures = reloads.failures
    for warning in report.warnings { logger.warning("\(warning)") }
    logger.log(
      level: failures.isEmpty ? .notice : .warning, "reloaded in \(duration): \(ReloadSummary(report, failures))",
      metadata: .kind(.reloaded))
    if !stopping.isOrdered { manager.ready(statusText) }
    controlFacts.noteReloadEnd(succeeded: failures.isEmpty)
    guard failures.isEmpty else {
      let failure = ControlFailure("reloaded, but not every new listener has started", problems: failures)
      return answerReload(.failure(failure))
    }
    answerReload(.reload(report))
  }

  /// The configuration before goes on.
  private func refuseReload(_ problems: [String]) {
    reloads.loadDeadline = nil
    if !reloads.isDryRun {
      controlFacts.noteReloadEnd(succeeded: false)
      for problem in problems { logger.error("\(problem)") }
      logger.error("reload refused; the configuration before goes on", metadata: .kind(.reloadRefused))
      manager.ready("\(statusText); the last reload was refused, see the log")
    }
    answerReload(
      .failure(
        ControlFailure(
          "the configuration is refused; the one before goes on", problems: problems,
          exitStatus: ControlFailure.configuration)))
  }

  func answerReload(_ answer: ControlAnswer) {
    for case .request(let isDryRun, let send) in reloads.queue.finish() {
      if isDryRun, case .reload(var report) = answer {
        report.isDryRun = true
        send(.reload(report))
      } else {
        send(answer)
      }
    }
  }
}
