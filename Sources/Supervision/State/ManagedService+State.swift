import Control
import ControlProtocol
import Monitoring
@_spi(Begat) import UnixCore

extension ManagedService {
  /// Whether it serves, and if not, why; with the time until that changes by itself, if that is known.
  ///
  /// - Parameter isLeaving: whether the configuration has given it up.
  private func reportedState(now: Int64, isLeaving: Bool) -> (state: ServiceStatus.State, remaining: Duration?) {
    switch drain.phase {
    case .announcing(let end): return (.announcing, .nanoseconds(max(0, end - now)))
    case .closed where generations.isEmpty: return (.drained, nil)
    case .closed: return (.draining, drainDeadline.map { .nanoseconds(max(0, $0 - now)) })
    case .serving: if isLeaving { return (.draining, nil) }
    }
    if isServing { return (.serving, nil) }
    if let restartTime, restartTime > now { return (.failed, .nanoseconds(restartTime - now)) }
    return (.starting, nil)
  }

  /// Its row in the answer to `status`.
  func status(now: Int64, isLeaving: Bool) -> ServiceStatus {
    let reported = reportedState(now: now, isLeaving: isLeaving)
    var status = ServiceStatus(name: name, state: reported.state)
    status.remaining = reported.remaining
    // Those that a drained service will have again.
    let shown =
      drain.isClosed ? former.map { ($0.address, $0.isDatagram) } : sockets.map { ($0.address, $0.isDatagram) }
    status.addresses = shown.map { ServiceStatus.Address("\($0)", isDatagram: $1) }
    if !configuration.waits, status.addresses.contains(where: { !$0.isDatagram }) {
      status.limit = UInt64(configuration.settings.admission.maxConnections)
    }
    var counters = totals
    for generation in [current, successor].compactMap({ $0 }) + retiring.reversed() {
      counters.add(generation.board.counters)
      let active = UInt64(generation.board.active)
      status.active += active
      status.listeners.append(
        ListenerStatus(
          process: generation.process, generation: generation.number, role: generation.role,
          age: .nanoseconds(max(0, now - generation.startTime)), active: active))
    }
    status.take(
      counters, now: now, since: startTime,
      answersDatagrams: status.addresses.contains(where: \.isDatagram) && !configuration.waits)
    return status
  }

  /// Adds its open connections, until the report has as many as it may.
  ///
  /// - Parameter names: of hosts; nil where none are looked up.
  func addConnections(to report: inout ConnectionReport, atMost limit: Int, now: Int64, names: NameResolver?) {
    for generation in generations {
      let place = ScoreboardPlace(
        service: name, generation: generation.number, listener: generation.process, unixAddress: onlyUnixAddress,
        logAddress: configuration.settings.logAddress)
      report.add(generation.board, at: place, atMost: limit, now: now) { names?.name(of: $0) }
    }
  }
}

extension Generation {
  fileprivate var role: ListenerStatus.Role {
    switch state {
    case .starting, .ready: .starting
    case .accepting: .current
    case .retiring, .retired: .retiring
    }
  }
}
