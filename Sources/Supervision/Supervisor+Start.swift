import ControlProtocol
import Logging
import Settings
import UnixIPC

/// Starting listeners, and starting them again.
extension Supervisor {
  func startWhatIsDue() {
    guard stopDeadline == nil else { return }
    let now = Clock.monotonic()
    for (index, service) in services.enumerated() {
      guard let due = service.restartTime, due <= now else { continue }
      start(service, token: UInt64(index))
    }
    if let resolver, let due = resolver.restartTime, due <= now {
      do throws(CallFailure) { try resolver.start() } catch { resolver.ended() }
    }
  }

  private func start(_ service: ManagedService, token: UInt64) {
    do throws(CallFailure) {
      let listener = try starter.start(service, lastQuestion: watch.lastQuestion)
      service.restartTime = nil
      service.listener = listener
      try poller.add(listener.channel.number, .readable, token: token)
      logger.debug("started listener \(listener.process)", metadata: [LogKey.service: "\(service.name)"])
    } catch {
      logger.error("\(error)", metadata: [LogKey.service: "\(service.name)"])
      if isStarted { service.restartTime = Clock.monotonic() + 1_000_000_000 } else { abandonStart() }
    }
  }

  /// Fetches ended children: each by its own number, so that nobody else's are touched.
  func reapListeners() {
    for service in services {
      if let listener = service.listener, let status = Children.reap(listener.process) {
        readChannel(of: service)
        listenerEnded(service, listener, status)
      }
    }
    if let resolver, let process = resolver.process, Children.reap(process) != nil {
      if stopDeadline == nil { logger.warning("names: the resolver ended; it is started again") }
      resolver.ended()
    }
  }

  private func listenerEnded(_ service: ManagedService, _ listener: ListenerProcess, _ status: ExitStatus) {
    service.listener = nil
    let metadata: Logger.Metadata = [LogKey.service: "\(service.name)"]
    guard stopDeadline == nil else {
      if !status.isSuccess { logger.warning("listener \(listener.process) ended: \(status)", metadata: metadata) }
      return
    }
    guard isStarted else {
      logger.error("the listener did not start: \(status)", metadata: metadata)
      return abandonStart()
    }
    let delay = service.scheduleRestart(after: listener)
    let when = delay == 0 ? "at once" : "in \(DurationText.render(.nanoseconds(delay)))"
    logger.error(
      "listener \(listener.process) ended, and its connections with it: \(status); started again \(when)",
      metadata: metadata)
    manager.status(statusText)
  }
}
