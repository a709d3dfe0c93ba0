import ControlProtocol
@_spi(Begat) import UnixCore

extension DaemonState {
  /// Makes the report that belongs to an instant.
  ///
  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  /// - Parameter board: returns the scoreboard of a number; nil counts as one without connections.
  public func report(now: Int64, board: (UInt32) -> ScoreboardReader?) -> StatusReport {
    var daemon = DaemonStatus(
      version: version, process: process, state: state, age: .since(startTime, now), configuration: configuration,
      reloadAge: reloadTime.map { .since($0, now) })
    daemon.lostLogMessages = lostLogMessages
    daemon.sandboxGaps = sandboxGaps
    daemon.reloads = reloads
    daemon.reloads.lastAge = lastReloadTime.map { .since($0, now) }
    var report = StatusReport(
      daemon: daemon, services: services.map { $0.status(now: now, board: board) },
      denials: denials.filter { $0.endTime ?? .max > now }.map { $0.denial(now: now) })
    report.omittedDenials = omittedDenials
    return report
  }

  /// Makes a list of the open connections.
  ///
  /// - Parameter service: lists only connections of services of this name.
  /// - Parameter limit: how many are listed; others are counted.
  /// - Parameter name: returns the name of a host, where it is known.
  public func connections(
    of service: String? = nil, atMost limit: Int, now: Int64, board: (UInt32) -> ScoreboardReader?,
    name: (SocketAddress) -> String? = { _ in nil }
  ) -> ConnectionReport {
    var report = ConnectionReport([])
    for state in services where service == nil || state.name == service {
      // The oldest first.
      for listener in state.listeners.reversed() {
        guard let board = board(listener.board) else { continue }
        let place = ScoreboardPlace(
          service: state.name, generation: listener.generation, listener: listener.process,
          unixAddress: state.unixAddress.flatMap { SocketAddress($0) })
        report.add(board, at: place, atMost: limit, now: now, name: name)
      }
    }
    return report
  }
}

extension ServiceState {
  fileprivate func status(now: Int64, board: (UInt32) -> ScoreboardReader?) -> ServiceStatus {
    var status = ServiceStatus(name: name, state: state)
    status.remaining = endTime.map { .until($0, now) }
    status.addresses = addresses
    status.limit = limit
    status.isConfined = isConfined
    status.isLeaving = isLeaving
    var counters = totals
    for listener in listeners {
      let board = board(listener.board)
      if let board { counters.add(board.counters) }
      let active = UInt64(board?.active ?? 0)
      status.active += active
      status.spares += UInt64(board?.spares ?? 0)
      status.listeners.append(
        ListenerStatus(
          process: listener.process, generation: listener.generation, role: listener.role,
          age: .since(listener.startTime, now), active: active))
    }
    status.take(counters, now: now, since: max(0, startTime), answersDatagrams: answersDatagrams)
    return status
  }
}

extension DenialState {
  fileprivate func denial(now: Int64) -> Denial {
    Denial(network: network, service: service, remaining: endTime.map { .until($0, now) })
  }
}

/// Between times of CLOCK_MONOTONIC, nanoseconds, whatever order they have.
extension Duration {
  fileprivate static func since(_ start: Int64, _ now: Int64) -> Duration {
    .nanoseconds(now - max(0, min(start, now)))
  }

  fileprivate static func until(_ end: Int64, _ now: Int64) -> Duration { .nanoseconds(max(end, now) - now) }
}
