import Control
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// The orderly stop.
extension Supervisor {
  /// A stop signal: the first one orders the stop, a further one ends everything within a second.
  func takeStopSignal() {
    orderStop(isSignal: true, announceTime: reloads.daemon.announceTime)
  }

  /// A request to stop; repeated, it changes nothing.
  func stop(_ reply: ControlReply) {
    let isFirst = !stopping.isOrdered
    if isFirst { orderStop(isSignal: false, announceTime: reloads.daemon.announceTime) }
    let announcement = announcementText.map { "; \($0)" } ?? ""
    let text = (isFirst ? "stopping" : "stopping already") + announcement
    let end = "open connections may go on for \(DurationText.render(drainTimeout))"
    reply.send(.order(OrderReport("\(text); \(end)", count: isFirst ? 1 : 0)))
  }

  /// Stops without an announcement.
  func stopImmediately() { orderStop(isSignal: false, announceTime: .zero) }

  private func orderStop(isSignal: Bool, announceTime: Duration) {
    let step = stopping.order(
      at: SystemClock.monotonic(), isSignal: isSignal, leavesListeners: leavesListeners,
      announceTime: announceTime.nanoseconds, drainTimeout: drainTimeout.nanoseconds)
    if let step { take(step) }
  }

  /// Takes the next step of a stop, if it is time, and lets the service manager wait for it.
  func advanceStop() {
    let now = SystemClock.monotonic()
    if let step = stopping.advance(at: now, drainTimeout: drainTimeout.nanoseconds) { take(step) }
    if let time = stopping.extensionTime, time <= now { sayStopping() }
  }

  private func take(_ step: StopState.Step) {
    switch step {
    case .announce:
      logger.info("stopping: \(announcementText ?? "")", metadata: .kind(.stopping))
      sayStopping()
    case .drain:
      logger.info("stopping", metadata: .kind(.stopping))
      // Their programs were to go on, as long as begatd does.
      for service in allServices where service.configuration.waits { hurryRetiring(of: service) }
      leaveStoredSockets()
      for service in services where !outlastsOthers(service) { stop(service) }
      // Written now, so that the services that remain show it immediately.
      writeState(now: SystemClock.monotonic())
      sayStopping()
    case .closeSockets: for service in allServices { hurryRetiring(of: service) }
    case .end: endEverything()
    case .kill: killListeners()
    }
  }

  private func stop(_ service: ManagedService, within limit: Duration? = nil) {
    let wasOpen = service.drain.close()
    if wasOpen { closeSockets(of: service, keepsPassed: false, within: limit) } else { service.closeSockets() }
  }

  /// Whether the service accepts clients until all others have ended; unlike `endsLast`, not if it was drained.
  private func outlastsOthers(_ service: ManagedService) -> Bool { service.endsLast && service.drain.phase == .serving }

  /// Stops the services that go on as long as others, when no other is left.
  func stopLastServices() {
    guard stopping.isDraining, services.contains(where: outlastsOthers),
      allServices.allSatisfy({ outlastsOthers($0) || isDone($0) })
    else { return }
    for service in services where outlastsOthers(service) {
      stop(service, within: Supervisor.lastServiceTimeout)
      // The next begatd waits for their addresses.
      if leavesListeners { hurryRetiring(of: service) }
    }
  }

  /// Their clients are served within a fraction of it.
  private static let lastServiceTimeout = Duration.seconds(1)

  /// Lets listeners that still have listening sockets close them, also those that their programs have.
  private func hurryRetiring(of service: ManagedService) {
    for generation in service.generations where generation.state == .retiring && !generation.isKilled {
      retire(
        generation, of: service,
        Retirement(closesSockets: false, drainTimeout: drainTimeout, endsPrograms: service.configuration.waits))
    }
  }

  private func sayStopping() {
    let limit = stopping.takeExtension(at: SystemClock.monotonic(), drainTimeout: drainTimeout.nanoseconds)
    manager.stopping(stoppingText, extendingBy: limit.map { .nanoseconds($0) })
  }

  /// Nil if nothing is announced, or not any more.
  private var announcementText: String? {
    stopping.announcementEnd.map { "clients are accepted for \(DurationText.roundedUp(until: $0)) more" }
  }

  var stoppingText: String {
    if let announcementText { return "stopping: \(announcementText)" }
    let active = counted(allServices.reduce(0) { $0 + $1.active }, "connection", "connections")
    return "stopping: \(active) may go on for \(DurationText.render(drainTimeout)) at most"
  }

  /// Ends listeners and their connections; those that do not obey are killed a moment later.
  private func endEverything() {
    logger.notice("second stop signal: everything is ended")
    leaveStoredSockets()
    for service in allServices {
      if service.drain.close() { service.closeSockets() }
      service.restartTime = nil
      service.waitsForRoom = false
      discardSuccessor(of: service)
      for generation in service.generations where !generation.isKilled {
        retire(generation, of: service, .hurried)
      }
    }
  }

  private func killListeners() {
    // These were not told to end before: the others had not ended.
    let last = services.filter(outlastsOthers)
    for service in last { stop(service, within: Supervisor.lastServiceTimeout) }
    for service in allServices where !last.contains(where: { $0 === service }) {
      for generation in service.generations where !generation.isKilled {
        // Its connections go on without begatd.
        if leavesListeners, !stopping.isEnding, generation.state == .retired { continue }
        kill(generation, of: service, because: ("does not stop", "killed"))
      }
    }
  }

  /// Whether nothing is left to be done.
  var isDone: Bool {
    stopping.isDraining && !services.contains(where: outlastsOthers) && allServices.allSatisfy(isDone)
  }

  /// Whether begatd need not wait for listeners of a service any more.
  private func isDone(_ service: ManagedService) -> Bool {
    // The end of a listener whose programs had the sockets is waited for: then what they have left is killed.
    let isLeft = leavesListeners && !service.configuration.waits
    return service.generations.allSatisfy { generation in
      generation.isLeftAlone || isLeft && (generation.state == .retired || generation.isKilled)
    }
  }

  /// Leaves listeners to themselves that still have connections.
  func leaveListeners() {
    let left = allServices.flatMap(\.generations).filter { !$0.isKilled || $0.isLeftAlone }
    guard !left.isEmpty else { return }
    readLastWords(of: left.filter(\.isChild))
    let connections = counted(left.reduce(0) { $0 + $1.board.active }, "connection", "connections")
    let listeners = counted(left.count, "listener lets its", "listeners let their")
    logger.info("\(listeners) \(connections) end")
  }

  /// Ends the channels of listeners, and reads what they have said before they noticed that.
  private func readLastWords(of listeners: [Generation]) {
    for listener in listeners { try? listener.channel.shutDownSending() }
    let end = SystemClock.monotonic() + Supervisor.lastWordsPatience
    while listeners.contains(where: { $0.token != nil }) {
      let rest = end - SystemClock.monotonic()
      guard rest > 0 else { return }
      poll.wait(milliseconds: CInt(clamping: rest / 1_000_000 + 1))
    }
  }

  /// A listener that turns notices immediately.
  private static let lastWordsPatience: Int64 = 200_000_000
}
