import Admission
import CSharedLayouts
import Control
import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// What reports need of a listener.
struct ListenerView {
  let number: UInt64
  let process: pid_t
  let role: ListenerStatus.Role
  /// CLOCK_MONOTONIC nanoseconds.
  let startTime: Int64
  let board: ScoreboardReader
}

extension ManagedService {
  /// Its listeners, the newest first.
  var listenerViews: [ListenerView] {
    generations.reversed().map { generation in
      let role: ListenerStatus.Role =
        generation === current ? .current : generation === successor ? .starting : .retiring
      return ListenerView(
        number: generation.number, process: generation.process, role: role, startTime: generation.startTime,
        board: generation.board)
    }
  }

  /// Whether it serves, and if not, why; with the time until that changes by itself, if that is known.
  func reportedState(now: Int64) -> (state: ServiceStatus.State, remaining: Duration?) {
    if isServing { return (.serving, nil) }
    if let restartTime, restartTime > now { return (.failed, .nanoseconds(restartTime - now)) }
    return (.starting, nil)
  }
}

extension ManagedService {
  /// What `status` says of it.
  func status(now: Int64) -> ServiceStatus {
    let reported = reportedState(now: now)
    var status = ServiceStatus(name: name, state: reported.state)
    status.remaining = reported.remaining
    status.addresses = sockets.map { ServiceStatus.Address("\($0.address)", isDatagram: $0.isDatagram) }
    if !configuration.waits, sockets.contains(where: { !$0.isDatagram }) {
      status.limit = UInt64(configuration.settings.admission.maxConnections)
    }
    var counters = totals
    for view in listenerViews {
      counters.add(view.board.counters)
      let active = UInt64(view.board.active)
      status.active += active
      status.listeners.append(
        ListenerStatus(
          process: view.process, generation: view.number, role: view.role,
          age: .nanoseconds(max(0, now - view.startTime)),
          active: active))
    }
    status.accepted = counters.accepted
    status.ended = counters.ended
    status.droppedRecords = counters.recordsDropped
    status.refused = ManagedService.refused(counters.refused)
    if sockets.contains(where: \.isDatagram), !configuration.waits {
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
    for view in listenerViews {
      for index in 0..<view.board.slotCount {
        let slot = view.board.slot(index)
        guard slot.pid > 0 else { continue }
        if report.connections.count < limit {
          report.connections.append(connection(slot, index, view, now: now))
        } else {
          report.omitted += 1
        }
      }
    }
  }

  /// A slot is written by its own connection process: nothing in it is believed, and any value can be shown.
  private func connection(_ slot: begat_slot, _ index: Int, _ view: ListenerView, now: Int64) -> ConnectionStatus {
    let id = ConnectionID(service: name, generation: view.number, slot: index, started: max(0, slot.started))
    var status = ConnectionStatus(
      id: id, process: slot.pid, listener: view.process, age: .nanoseconds(max(0, now - max(0, min(slot.started, now))))
    )
    if slot.family == PeerFields.unix {
      status.user = slot.uid
      status.peer = onlyUnixAddress?.description
    } else {
      status.peer = PeerFields(slot).address?.description
    }
    if slot.bytes_received != ConnectionRecord.unknownCount { status.received = slot.bytes_received }
    if slot.bytes_sent != ConnectionRecord.unknownCount { status.sent = slot.bytes_sent }
    status.waiting = ConnectionStatus.Waiting(number: slot.waiting)
    return status
  }
}
