import Admission
import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Reaping listeners, and going on without them.
extension Supervisor {
  /// Reaps ended children: each by its own number, so that no other code's children are touched.
  func reapChildren() {
    for service in allServices {
      for generation in service.generations where generation.isChild {
        // A listener ends what its programs have started; a killed one could not, and that would keep clients' sockets.
        if SessionMembers.wasLeaderKilled(generation.process) || leavesAddresses(generation, of: service) {
          SessionMembers.kill(ofEndedLeader: generation.process)
        }
        guard let status = Children.reap(generation.process) else { continue }
        readChannel(of: service, generation, atMost: 4096)
        ended(generation, of: service, status)
      }
    }
    forgetLeft()
    endResolverIfUnused()
    formerResolvers.removeAll { Children.reap($0) != nil }
    if let process = resolver?.process, let status = Children.reap(process) { resolverEnded(status) }
    if let process = logFile?.process, let status = Children.reap(process) { logWriterEnded(status) }
    reapOrphans()
  }

  /// Whether a listener has ended at a stop of whose programs processes may be left that have the listening sockets: the
  /// next begatd could not bind their addresses.
  private func leavesAddresses(_ generation: Generation, of service: ManagedService) -> Bool {
    stopping.isOrdered && service.configuration.waits
      && (try? Children.waitForExit(of: generation.process, until: .immediate)) == true
  }

  /// The channel of a listener that is no child has ended, and so has the listener, in whatever way.
  func leftBehindEnded(_ generation: Generation, of service: ManagedService) {
    guard service.generations.contains(where: { $0 === generation }) else { return }
    ended(generation, of: service, nil)
    forgetLeft()
  }

  /// Forgets services that are given up and have no listener any more, except for what they have counted.
  private func forgetLeft() {
    for service in leaving where service.generations.isEmpty {
      pastCounters.keep(service)
      if let heir = services.first(where: { $0.name == service.name }) { pastCounters.pass(to: heir, from: []) }
    }
    leaving.removeAll(where: \.generations.isEmpty)
  }

  /// Reaps processes that programs have left behind, which begatd inherits if it is the first process of a container: no
  /// other process can.
  ///
  /// Own children are reaped first: an ended one hides the others from waitid(2).
  func reapOrphans() {
    guard getpid() == 1 else { return }
    while let process = Children.peekAny() {
      let isOwn =
        process == resolver?.process || process == upgrade?.process || process == logFile?.process
        || formerResolvers.contains(process)
        || allServices.contains { $0.generations.contains { $0.isChild && $0.process == process } }
      // Ended since it was looked at: its own signal is still to come.
      guard !isOwn, Children.reap(process) != nil else { return }
    }
  }

  /// - Parameter status: nil for a listener that is no child.
  private func ended(_ generation: Generation, of service: ManagedService, _ status: ExitStatus?) {
    if let token = generation.token { poll.remove(token) }
    let wasSuccessor = service.successor === generation
    let lost = service.forget(generation)
    sharing.noteEnd(of: generation)
    let ended = Supervisor.ended(with: lost.connections)
    if lost.records > 0 {
      let records = counted(Int(clamping: lost.records), "ended connection", "ended connections")
      warn(of: generation, service, "had not reported \(records) yet, which this log misses")
    }
    for request in endOrders.take(of: generation) { request.settle() }
    clearColumn(of: generation, in: service)
    defer { service.endLingeringIfClosed() }
    guard let status else {
      // All that is known is that its connections did not end by themselves.
      if lost.connections > 0 { warn(of: generation, service, "\(ended); a former begatd had started it") }
      takeRoom(in: service)
      return handOver(service)
    }
    guard stopDeadline == nil else {
      if !status.isSuccess { warn(of: generation, service, "\(ended): \(status)") }
      return handOver(service)
    }
    guard isStarted || generation.isAdopted else {
      logger.error("the listener did not start: \(status)", metadata: service.logMetadata)
      return abandonStart()
    }
    takeRoom(in: service)
    if service.drain.isClosed {
      if !generation.isKilled, !status.isSuccess {
        warn(of: generation, service, "\(ended) while it drained: \(status)")
      }
    } else if wasSuccessor, service.isAccepting {
      successorFailed(generation, of: service, status)
    } else if wasSuccessor || generation.state == .accepting {
      servingEnded(generation, of: service, status, ended)
    } else if !generation.isKilled, generation.endDeadline == nil, !status.isSuccess {
      warn(of: generation, service, "\(ended), while connections were to end by themselves: \(status)")
    }
    handOver(service)
  }

  /// Starts the listener for which there was no room, because as many lived as can.
  private func takeRoom(in service: ManagedService) {
    guard service.waitsForRoom, stopDeadline == nil else { return }
    service.waitsForRoom = false
    service.restartTime = 0
  }

  /// Says that a listener has ended, and how many connections with it.
  private static func ended(with connections: UInt64) -> String {
    guard connections > 0 else { return "ended" }
    return "ended, and \(counted(Int(clamping: connections), "connection", "connections")) with it"
  }

  private func warn(of generation: Generation, _ service: ManagedService, _ what: String) {
    logger.warning("listener \(generation.process) \(what)", metadata: service.logMetadata)
  }

  /// No listener of the service accepts any more, or the one that was to begin has ended.
  ///
  /// - Parameter ended: says that it has ended, and its connections with it.
  private func servingEnded(
    _ generation: Generation, of service: ManagedService, _ status: ExitStatus, _ ended: String
  ) {
    // A successor may be on its way already.
    guard service.successor == nil, !service.waitsForRoom, services.contains(where: { $0 === service }) else {
      return warn(of: generation, service, "\(ended): \(status); its successor is starting")
    }
    if !generation.isReady { settleReload(service, failure: "the listener did not start: \(status)") }
    let delay = service.scheduleRestart(after: generation, isHealthy: generation.wasEndedFromOutside(status))
    let when = DurationText.delay(.nanoseconds(delay))
    logger.error(
      "listener \(generation.process) \(ended): \(status); started again \(when)",
      metadata: service.logMetadata(.listenerEnded))
    manager.status(statusText)
  }

  /// The listener before it goes on, with the configuration before.
  private func successorFailed(_ generation: Generation, of service: ManagedService, _ status: ExitStatus) {
    let failure = "the new listener did not start: \(status)"
    settleReload(service, failure: failure)
    let (delay, isNews) = service.startRetry.failed(failure)
    service.restartTime = SystemClock.monotonic() + delay
    if isNews {
      logger.error(
        "\(failure); the one before goes on with its configuration, and it is tried again until it works",
        metadata: service.logMetadata)
    }
  }

  /// The listener that accepts takes over what an ended one has counted in the admission book.
  private func clearColumn(of generation: Generation, in service: ManagedService) {
    service.pendingClear.insert(AdmissionColumns(generation.column))
    sendPendingClear(to: service)
  }

  /// Names the columns of ended generations to the one that accepts; without one, the next begins with that.
  func sendPendingClear(to service: ManagedService) {
    service.pendingClear.subtract(service.columnsInUse)
    // Sent after what waits: kept there itself, it could clear the column of a listener that is started meanwhile.
    guard let current = service.current, !service.pendingClear.isEmpty, current.outbox.isEmpty else { return }
    do throws(SystemCallError) {
      try ListenerChannel.send(.clear(UInt8(truncatingIfNeeded: service.pendingClear.rawValue)), on: current.channel)
      service.pendingClear = []
    } catch {
      awaitRoom(current)
    }
  }
}
