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
    for (index, service) in services.enumerated() {
      guard let due = service.restartTime, due <= now else { continue }
      start(service, token: UInt64(index))
    }
    if let due = resolver?.restartTime, due <= now { startResolver() }
  }

  private func start(_ service: ManagedService, token: UInt64) {
    let metadata: Logger.Metadata = [LogKey.service: "\(service.name)"]
    do throws(SystemCallError) {
      let listener = try starter.start(service)
      service.restartTime = nil
      service.listener = listener
      logger.debug("started listener \(listener.process)", metadata: metadata)
      do throws(SystemCallError) { try poller.add(listener.channel.number, .readable, token: token) } catch {
        // It runs and could not be heard: it is reaped and replaced like one that died.
        logger.error("\(error); listener \(listener.process) ended", metadata: metadata)
        listener.isEnded = true
        try? Signal.kill.send(to: listener.process)
      }
    } catch {
      let (delay, isNews) = service.startRetry.failed("\(error)")
      if isNews { logger.error("\(error)\(isStarted ? "; tried again until it works" : "")", metadata: metadata) }
      if isStarted { service.restartTime = SystemClock.monotonic() + delay } else { abandonStart() }
    }
  }

  /// Reaps ended children: each by its own number, so that no other code's children are touched.
  func reapChildren() {
    for service in services {
      // A listener ends what its programs have started; a killed one could not, and that would keep clients' sockets.
      if let listener = service.listener, SessionMembers.wasLeaderKilled(listener.process) {
        SessionMembers.kill(ofEndedLeader: listener.process)
      }
      if let listener = service.listener, let status = Children.reap(listener.process) {
        readChannel(of: service, atMost: 4096)
        listenerEnded(service, listener, status)
      }
    }
    if let process = resolver?.process, let status = Children.reap(process) { resolverEnded(status) }
    if getpid() == 1 { reapOrphans() }
  }

  /// As the first process of a container begatd inherits what programs leave behind; no other process can reap them.
  private func reapOrphans() {
    while let process = Children.peekAny() {
      let isOwn = process == resolver?.process || services.contains { $0.listener?.process == process }
      // Ended since it was looked at: its own signal is still to come.
      guard !isOwn, Children.reap(process) != nil else { return }
    }
  }

  private func listenerEnded(_ service: ManagedService, _ listener: ListenerProcess, _ status: ExitStatus) {
    service.listener = nil
    service.totals.add(listener.board.counters)
    let metadata: Logger.Metadata = [LogKey.service: "\(service.name)"]
    guard stopDeadline == nil else {
      if !status.isSuccess { logger.warning("listener \(listener.process) ended: \(status)", metadata: metadata) }
      return
    }
    guard isStarted else {
      logger.error("the listener did not start: \(status)", metadata: metadata)
      return abandonStart()
    }
    let delay = service.scheduleRestart(after: listener, status)
    let when = delay == 0 ? "at once" : "in \(DurationText.render(.nanoseconds(delay)))"
    logger.error(
      "listener \(listener.process) ended, and its connections with it: \(status); started again \(when)",
      metadata: metadata)
    manager.status(statusText)
  }
}
