import Admission
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// How one generation of a listener takes the place of another: the new one becomes ready, the old one closes its
/// sockets, and only then the new one begins, so that one process at a time admits clients.
extension Supervisor {
  /// A listener has read all that it needs.
  func becameReady(_ generation: Generation, of service: ManagedService) {
    guard generation.state == .starting else { return }
    generation.state = .ready
    generation.readySince = SystemClock.monotonic()
    let failures = service.startRetry.succeeded()
    if failures > 0 {
      logger.notice(
        "listener started, after \(failures) failed \(failures == 1 ? "attempt" : "attempts")",
        metadata: service.logMetadata)
    }
    share(generation, of: service)
    handOver(service)
  }

  /// Takes the next step towards the successor's beginning, if there is one that is ready.
  func handOver(_ service: ManagedService) {
    guard !stopping.isEnding, let successor = service.successor, successor.state == .ready, !successor.isKilled else {
      return
    }
    if let current = service.current {
      retire(current, of: service, Retirement(closesSockets: false, drainTimeout: drainTimeout))
    }
    // The program of a service that waits may go on for a while.
    guard !service.isAccepting else { return service.configuration.waits ? settleReload(service) : () }
    begin(successor, of: service)
    // It has begun only for the clients that wait.
    if service.drain.isClosed { retireForGood(service) }
  }

  private func begin(_ successor: Generation, of service: ManagedService) {
    // All that no other generation has: what a column was cleared of before does no harm.
    let others = service.retiring.reduce(into: AdmissionColumns()) { $0.insert(AdmissionColumns($1.column)) }
    let all = (0..<ManagedService.maxGenerations).reduce(into: AdmissionColumns()) { $0.insert(AdmissionColumns($1)) }
    // Not before: the listener before has gone on with them if this one could not be started.
    refuseNewClients(at: service.closing, of: service)
    do throws(SystemCallError) {
      try tell(
        successor, .begin(clearing: UInt8(truncatingIfNeeded: all.subtracting(others).rawValue)))
    } catch {
      // It can never be told: it is reaped and replaced like one that died.
      logger.error("\(error); listener \(successor.process) ended", metadata: service.logMetadata)
      return kill(successor, of: service)
    }
    service.begin()
    settleReload(service)
    if isStarted { manager.status(statusText) } else { checkReadiness() }
  }

  /// Lets a listener accept no more and drain.
  func retire(_ generation: Generation, of service: ManagedService, _ retirement: Retirement) {
    service.withdraw(generation)
    if generation.state < .retiring { generation.state = .retiring }
    // One that can never be told has closed its channel, which it takes for the end of begatd, or is dead.
    try? tell(generation, .retire(retirement))
  }

  /// A listener has closed its sockets, because it was to retire or because another process told it to stop.
  func hasRetired(_ generation: Generation, of service: ManagedService) {
    guard generation.state < .retired else { return }
    let wasAsked = generation.state == .retiring
    generation.state = .retired
    generation.retirementDeadline = nil
    defer { service.endLingeringIfClosed() }
    if service.successor === generation {
      // It was stopped before it began, and has no client.
      return kill(generation, of: service)
    }
    service.withdraw(generation)
    guard !wasAsked, stopDeadline == nil, services.contains(where: { $0 === service }) else {
      return handOver(service)
    }
    if service.successor == nil, !service.waitsForRoom {
      let delay = service.scheduleRestart(after: generation, isHealthy: true)
      let when = DurationText.delay(.nanoseconds(delay))
      logger.notice(
        "listener \(generation.process) was stopped by another process; its connections go on, its successor starts \(when)",
        metadata: service.logMetadata)
      manager.status(statusText)
    }
    handOver(service)
  }

  /// Closes begatd's copies of sockets that were given up a while ago.
  func endLingering() {
    let now = SystemClock.monotonic()
    for service in allServices where service.lingerDeadline ?? .max <= now { service.endLingering(by: now) }
  }
}
