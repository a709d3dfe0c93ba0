import Admission
import CSharedLayouts
import Control
import ControlProtocol
import Glibc
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
    status.accepted = counters.accepted
    status.ended = counters.ended
    status.droppedRecords = counters.recordsDropped
    status.refused = ManagedService.refused(counters.refused)
    if status.addresses.contains(where: \.isDatagram), !configuration.waits {
      status.datagrams = ServiceStatus.Datagrams(
        answered: counters.datagramsAnswered, refused: ManagedService.refused(counters.datagramsRefused),
        ignored: counters.datagramsIgnored)
    }
    return status
  }

  /// By the keys of the configuration that are responsible, as words.
  private static func refused(_ counts: [UInt64]) -> [ServiceStatus.Refused] {
    Refusal.allCases.map { refusal in
      let reason = String(refusal.key.map { $0 == " " ? "-" : $0 })
      return ServiceStatus.Refused(reason, refusal.rawValue < counts.count ? counts[refusal.rawValue] : 0)
    }
  }

  /// Adds its open connections, until the report has as many as it may.
  func addConnections(to report: inout ConnectionReport, atMost limit: Int, now: Int64) {
    for generation in generations {
      for index in 0..<generation.board.slotCount {
        let slot = generation.board.slot(index)
        guard slot.pid > 0 else { continue }
        if report.connections.count < limit {
          report.connections.append(connection(slot, index, generation, now: now))
        } else {
          report.omitted += 1
        }
      }
    }
  }

  /// A slot is written by its own connection process: nothing in it is believed, and any value can be shown.
  private func connection(_ slot: begat_slot, _ index: Int, _ generation: Generation, now: Int64) -> ConnectionStatus {
    let id = ConnectionID(service: name, generation: generation.number, slot: index, started: max(0, slot.started))
    var status = ConnectionStatus(
      id: id, process: slot.pid, listener: generation.process,
      age: .nanoseconds(max(0, now - max(0, min(slot.started, now))))
    )
    let text = PeerText(configuration.settings.logAddress)
    if slot.family == PeerFields.unix {
      // The path is the service's, not the client's.
      if text.form == .full { status.user = slot.uid }
      status.peer = onlyUnixAddress?.description
    } else if text.form != .none {
      status.peer = PeerFields(slot).address.map { text.text($0) }
    }
    if slot.bytes_received != ConnectionRecord.unknownCount { status.received = slot.bytes_received }
    if slot.bytes_sent != ConnectionRecord.unknownCount { status.sent = slot.bytes_sent }
    status.waiting = ConnectionStatus.Waiting(number: slot.waiting)
    return status
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
