import Admission
import ControlProtocol
@_spi(Begat) import UnixCore

/// Connections that are told to end while the listener goes on: by an order, or because their time is up.
extension Listener {
  /// The time between SIGTERM and SIGKILL.
  static let killDelay: Duration = .seconds(5)

  /// Tells the connections to end that an order selects.
  ///
  /// They are found in the listener's own table, by no number that came from outside: no other process can be hit.
  ///
  /// - Returns: how many there are.
  mutating func end(_ selection: EndOrder.Selection) -> Int {
    // Those that have ended by now do not count.
    takeExits()
    takeClaims()
    let killTime = Deadline(after: Listener.killDelay)
    var count = 0
    table.forEach { entry in
      guard selection.matches(entry) else { return }
      count += 1
      guard !entry.isEnding else { return }
      Listener.send(.terminate, to: entry.process, withGroup: offerKind.reachesGroup(by: .terminate))
      entry.ending = .ordered
      entry.deadline = killTime
    }
    if count > 0 { hasEndOrders = true }
    return count
  }

  /// Ends connections whose time limit has passed, by SIGTERM, and kills those that have got it five seconds before.
  mutating func endOverdue(_ now: Deadline) {
    guard options.maxDuration != nil || hasEndOrders else { return }
    table.forEach { entry in
      guard entry.deadline <= now else { return }
      let signal = entry.isEnding ? Signal.kill : .terminate
      Listener.send(signal, to: entry.process, withGroup: offerKind.reachesGroup(by: signal))
      if !entry.isEnding { entry.ending = .overdue }
      entry.deadline = now.advanced(by: Listener.killDelay)
    }
  }
}

extension EndOrder.Selection {
  fileprivate func matches(_ entry: borrowing ConnectionTable.Entry) -> Bool {
    switch self {
    case .everything: true
    case .connection(let process, let slot, let started):
      entry.process == process && entry.slot == slot && entry.started.instant == started
    case .source(let network):
      switch entry.peer.address {
      case .ipv4(let host, _): network.contains(host)
      case .ipv6(let host, _, _): network.contains(host)
      case .unixPath, .unixAbstract, .unixUnnamed, nil: false
      }
    case .startedBefore(let instant): entry.started.instant < instant
    }
  }
}
