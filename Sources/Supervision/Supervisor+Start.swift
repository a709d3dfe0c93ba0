import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Starting listeners, and starting them again.
extension Supervisor {
  func startWhatIsDue() {
    guard stopDeadline == nil else { return }
    let now = SystemClock.monotonic()
    for service in services {
      guard let due = service.restartTime, due <= now else { continue }
      start(service)
    }
    if let due = resolver?.restartTime, due <= now { startResolver() }
  }

  /// Starts the successor of a service's listener.
  private func start(_ service: ManagedService) {
    discardSuccessor(of: service)
    guard makeRoom(in: service) else {
      service.restartTime = nil
      service.waitsForRoom = true
      return
    }
    do throws(SystemCallError) {
      let generation = try starter.start(service, boardNumber: sharing.nextBoardNumber())
      service.restartTime = nil
      service.await(generation)
      serveNames(of: generation)
      logger.debug("started listener \(generation.process)", metadata: service.logMetadata)
      do throws(SystemCallError) { try watch(generation, of: service) } catch {
        // It runs and could not be heard: it is reaped and replaced like one that died.
        logger.error("\(error); listener \(generation.process) ended", metadata: service.logMetadata)
        kill(generation, of: service)
      }
    } catch {
      let (delay, isNews) = service.startRetry.failed("\(error)")
      settleReload(service, failure: error.withAdvice)
      if isNews {
        logger.error(
          "\(error.withAdvice)\(isStarted ? "; tried again until it works" : "")", metadata: service.logMetadata)
      }
      if isStarted { service.restartTime = SystemClock.monotonic() + delay } else { abandonStart() }
    }
  }

  /// Ends a successor that has not begun, which another one is to replace: it has no clients.
  func discardSuccessor(of service: ManagedService) {
    guard let successor = service.successor else { return }
    service.withdraw(successor)
    kill(successor, of: service)
  }

  /// Ends the oldest listener if a service has as many as can live at the same time.
  ///
  /// - Returns: whether another one may be started now; if not, it may when one of them has been reaped.
  private func makeRoom(in service: ManagedService) -> Bool {
    guard service.generations.count >= ManagedService.maxGenerations else { return true }
    guard !service.retiring.contains(where: { $0.isKilled || $0.endDeadline != nil }) else { return false }
    guard let oldest = service.retiring.first else { return false }
    let connections = oldest.board.active
    service.totals.endedByReload &+= UInt64(connections)
    logger.warning(
      """
      listener \(oldest.process) drains since \(ManagedService.maxGenerations - 1) changes of the configuration; ended \
      with its \(counted(connections, "connection", "connections")), for no more than \
      \(ManagedService.maxGenerations) listeners of a service live at the same time
      """, metadata: service.logMetadata)
    end(oldest, of: service, within: 1_000_000_000)
    return false
  }

  /// Ends a listener that drains and its connections, by its channel and later by SIGKILL.
  func end(_ generation: Generation, of service: ManagedService, within patience: Int64) {
    retire(generation, of: service, .hurried)
    generation.endDeadline = SystemClock.monotonic() + patience
  }

  /// Kills listeners that have not obeyed an order to end.
  func endDisobedient() {
    let now = SystemClock.monotonic()
    for service in allServices {
      for generation in service.generations where !generation.isKilled {
        if generation.endDeadline ?? .max <= now {
          kill(generation, of: service)
        } else if generation.retirementDeadline ?? .max <= now {
          kill(generation, of: service, because: ("of a former begatd does not close its sockets", "killed"))
        }
      }
    }
  }

  /// Kills a listener, and says why if it cannot be killed.
  ///
  /// - Parameter reason: the fault of the listener that is to be logged, and the word for its end; nil if it has none.
  func kill(_ generation: Generation, of service: ManagedService, because reason: (fault: String, end: String)? = nil) {
    let failure = generation.kill()
    guard reason != nil || failure != nil else { return }
    let fault = reason.map { " \($0.fault)" } ?? ""
    let end =
      failure.map { "\(reason == nil ? "" : ",") cannot be killed and may keep running: \($0.withAdvice)" }
      ?? "; \(reason?.end ?? "")"
    logger.error("listener \(generation.process)\(fault)\(end)", metadata: service.logMetadata)
    // No signal will announce its end, and it may never come.
    if failure != nil, !generation.isChild { leftBehindEnded(generation, of: service) }
  }
}
