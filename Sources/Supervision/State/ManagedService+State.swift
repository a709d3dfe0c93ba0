import Monitoring
@_spi(Begat) import UnixCore

extension ManagedService {
  /// Whether it serves, and if not, why; with the time at which that changes by itself, if that is known.
  ///
  /// - Parameter isLeaving: whether the configuration has given it up.
  private func reportedState(now: Int64, isLeaving: Bool) -> (state: ServiceStatus.State, endTime: Int64?) {
    switch drain.phase {
    case .announcing(let end): return (.announcing, end)
    case .closed where generations.isEmpty: return (.drained, nil)
    case .closed: return (.draining, drainDeadline)
    case .serving: if isLeaving { return (.draining, nil) }
    }
    if isServing || isHandingOver { return (.serving, nil) }
    if let restartTime, restartTime > now { return (.failed, restartTime) }
    return (.starting, nil)
  }

  /// Whether the next listener is ready, and begins as soon as the one before has closed its sockets.
  private var isHandingOver: Bool { successor?.state == .ready && isAccepting }

  /// Its row in the state of begatd.
  func state(now: Int64, isLeaving: Bool) -> ServiceState {
    let reported = reportedState(now: now, isLeaving: isLeaving)
    var state = ServiceState(name: name, state: reported.state)
    state.endTime = reported.endTime
    state.isLeaving = isLeaving
    // Those that a drained service will have again.
    let shown =
      drain.isClosed ? former.map { ($0.address, $0.isDatagram) } : sockets.map { ($0.address, $0.isDatagram) }
    state.addresses = shown.map { ServiceStatus.Address("\($0)", isDatagram: $1) }
    if !configuration.waits, state.addresses.contains(where: { !$0.isDatagram }) {
      state.limit = UInt64(configuration.settings.admission.maxConnections)
    }
    state.answersDatagrams = state.addresses.contains(where: \.isDatagram) && !configuration.waits
    state.startTime = startTime
    state.totals = totals
    state.listeners = ([current, successor].compactMap { $0 } + retiring.reversed()).map { generation in
      ListenerState(
        process: generation.process, generation: generation.number, role: generation.role,
        startTime: generation.startTime, board: generation.boardNumber)
    }
    state.unixAddress = onlyUnixAddress?.description
    state.isConfined = configuration.settings.isConfined
    return state
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
