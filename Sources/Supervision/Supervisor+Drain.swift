import Control
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Services that accept no more clients while their connections go on.
extension Supervisor {
  /// Closes services, after they have announced it for a while.
  func drain(_ services: [ManagedService], wait: DrainWait, _ reply: ControlReply) {
    let now = SystemClock.monotonic()
    let announceTime = reloads.daemon.announceTime
    for service in services where service.drain.begin(at: now, announceTime: announceTime.nanoseconds) {
      guard announceTime > .zero else { continue }
      logger.notice(
        "accepts clients for \(DurationText.render(announceTime)) more, then drains", metadata: service.logMetadata)
    }
    closeAnnounced(at: now)
    manager.status(statusText)
    // Written now, so that every reader shows it before the answer.
    writeState(now: now)
    switch wait {
    case .none: reply.send(.order(OrderReport(drainText(services) + waitingText(services), count: services.count)))
    case .untilDone: drainWaits.add(services, deadline: nil, reply)
    case .atMost(let limit):
      drainWaits.add(services, deadline: Deadline(after: limit).instant, reply)
    }
    answerDrainWaits()
  }

  /// When something is due for a drain, CLOCK_MONOTONIC nanoseconds.
  var drainTime: Int64 {
    let announced = services.compactMap(\.drain.announcementEnd).min()
    return min(announced ?? .max, drainWaits.nextDeadline ?? .max)
  }

  /// Closes services whose announcement is over, and answers those that wait for drains.
  func advanceDrains() {
    closeAnnounced(at: SystemClock.monotonic())
    answerDrainWaits()
  }

  private func closeAnnounced(at now: Int64) {
    var isAny = false
    for service in services where service.drain.advance(at: now) {
      close(service)
      isAny = true
    }
    guard isAny else { return }
    manager.status(statusText)
    checkReadiness()
  }

  /// Closes the sockets of a service: clients that wait there are still accepted, and connections end by themselves.
  private func close(_ service: ManagedService) {
    let left = closeSockets(of: service, keepsPassed: true)
    let connections = counted(service.active, "connection", "connections")
    logger.notice(
      "drains: \(connections) may go on for \(DurationText.render(drainTimeout)); begat resume \(service.name) ends the drain",
      metadata: service.logMetadata)
    for socket in left {
      logger.warning(
        "\(socket.address) was passed by the service manager, and cannot refuse clients: new ones wait there until begat resume",
        metadata: service.logMetadata)
    }
  }

  /// Lets the listener of a closed service accept what waits at its sockets, and then no more.
  ///
  /// - Parameter keepsPassed: whether sockets of the service manager stay and take no client until they are resumed; else
  ///   clients wait there for the next begatd.
  /// - Parameter limit: how long open connections may go on; nil for `drain-timeout`.
  /// - Returns: the passed sockets at which clients wait although they should take none.
  @discardableResult
  func closeSockets(
    of service: ManagedService, keepsPassed: Bool, within limit: Duration? = nil
  ) -> [HeldSocket] {
    service.restartTime = nil
    service.waitsForRoom = false
    // Without a listener before it, the successor accepts those that wait.
    if service.current != nil || !isStarted { discardSuccessor(of: service) }
    settleReload(service)
    let own = service.sockets.contains { !$0.staysOpen }
    let passed = service.sockets.filter { $0.passedName != nil }
    let left = keepsPassed ? passed.filter { !$0.dropNewClients() } : []
    let givenUp = service.sockets + service.closing
    service.giveUpSockets()
    // Before the listener closes them: at a socket that the manager alone has, clients would wait in vain.
    keepWhatHasChanged()
    refuseNewClients(at: givenUp, of: service)
    service.closingEmpties = own || keepsPassed
    let limit = limit ?? drainTimeout
    service.drainDeadline = SystemClock.monotonic() + limit.nanoseconds
    retireForGood(service, within: limit, endsPrograms: !keepsPassed)
    service.endLingeringIfClosed()
    if !keepsPassed { service.closeSockets() }
    return left
  }

  /// Lets sockets that are given up take no new client.
  func refuseNewClients(at sockets: [HeldSocket], of service: ManagedService) {
    for socket in sockets {
      guard let failure = socket.refuseNewClients() else { continue }
      // A TCP socket with an interface needs CAP_NET_RAW for it, which begatd has given up.
      logger.notice(
        "\(socket.address) takes new clients until it is closed, and those that wait then are reset: \(failure)",
        metadata: service.logMetadata)
    }
  }

  /// Retires a listener that has begun although its service is closed, for the clients that wait.
  func retireForGood(_ service: ManagedService) {
    let rest = (service.drainDeadline ?? 0) - SystemClock.monotonic()
    retireForGood(service, within: .nanoseconds(max(0, rest)))
  }

  private func retireForGood(_ service: ManagedService, within limit: Duration, endsPrograms: Bool = false) {
    guard let current = service.current else { return }
    retire(
      current, of: service,
      Retirement(closesSockets: service.closingEmpties, drainTimeout: limit, endsPrograms: endsPrograms))
  }

  // MARK: Answers

  private func drainText(_ services: [ManagedService]) -> String {
    guard services.count == 1, let service = services.first else {
      let announced = services.filter { $0.drain.announcementEnd != nil }.count
      let drained = services.filter(\.isDrained).count
      let active = counted(services.reduce(0) { $0 + $1.active }, "connection", "connections")
      return "\(counted(services.count, "service", "services")): \(announced) announced, "
        + "\(services.count - announced - drained) draining, \(drained) drained; \(active) open"
    }
    return "\(service.name): \(drainText(service))"
  }

  /// The places at which clients wait until the service is resumed, as the answer to a drain says it; empty if there are
  /// none.
  private func waitingText(_ services: [ManagedService]) -> String {
    let addresses = services.flatMap(\.socketsWithWaitingClients).map(\.address.description)
    guard !addresses.isEmpty else { return "" }
    let shown =
      addresses.prefix(4).joined(separator: ", ") + (addresses.count > 4 ? " and \(addresses.count - 4) more" : "")
    return "; new clients wait at \(shown) until begat resume, because the service manager keeps "
      + (addresses.count == 1 ? "the socket" : "the sockets")
  }

  private func drainText(_ service: ManagedService) -> String {
    let active = counted(service.active, "connection", "connections")
    if let end = service.drain.announcementEnd {
      return "accepts clients for \(DurationText.roundedUp(until: end)) more, then drains; \(active) open"
    }
    return service.isDrained ? "drained" : "draining; \(active) open"
  }

  private func answerDrainWaits() {
    // A peer that has gone waits for nothing.
    drainWaits.keep { $0.isOpen }
    let now = SystemClock.monotonic()
    let settled = drainWaits.settled(at: now, isServing: { $0.drain.phase == .serving }, isDrained: \.isDrained)
    for (wait, outcome) in settled { wait.answer.send(answer(wait.services, outcome)) }
  }

  private func answer(
    _ services: [ManagedService], _ outcome: DrainWaits<ManagedService, ControlReply>.Outcome
  ) -> ControlAnswer {
    let names = services.count == 1 ? services[0].name : counted(services.count, "service", "services")
    switch outcome {
    case .done: return .order(OrderReport("\(names): drained\(waitingText(services))", count: services.count))
    case .resumed(let service):
      return .failure(ControlFailure("\(service.name) was resumed before its last connection had ended"))
    case .late(let open):
      let active = open.reduce(0) { $0 + $1.active }
      return .failure(
        ControlFailure(
          "\(names): \(counted(active, "connection is", "connections are")) left",
          problems: open.map { "\($0.name): \(counted($0.active, "connection", "connections"))" }))
    }
  }

  /// Answers what waits for drains that begatd does not see the end of.
  func giveUpDrainWaits() {
    for wait in drainWaits.waits {
      wait.answer.send(.failure(ControlFailure("begatd has ended; its listeners let their connections end")))
    }
    drainWaits.keep { _ in false }
  }
}

extension DurationText {
  /// The time that is left until an instant, CLOCK_MONOTONIC nanoseconds: in seconds, but the last one exactly enough.
  static func roundedUp(until instant: Int64) -> String {
    let rest = max(0, instant - SystemClock.monotonic())
    let unit: Int64 = rest > 500_000_000 ? 1_000_000_000 : 100_000_000
    return render(.nanoseconds((rest + unit - 1) / unit * unit))
  }

  /// `immediately`, or `in 400ms`.
  static func delay(_ duration: Duration) -> String { duration == .zero ? "immediately" : "in \(render(duration))" }
}
