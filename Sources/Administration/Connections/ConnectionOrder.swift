import Monitoring

/// By what connections are sorted.
public enum ConnectionOrder: String, CaseIterable, Sendable {
  /// By name, then the oldest first.
  case service
  /// The oldest first.
  case age
  /// The most bytes received first.
  case received = "in"
  /// The most bytes sent first.
  case sent = "out"
  case peer
  case process = "pid"
  case waiting = "waits-for"

  func sorted(_ connections: [ConnectionStatus], isReversed: Bool = false) -> [ConnectionStatus] {
    let sorted: [ConnectionStatus]
    switch self {
    case .service:
      sorted = connections.sorted {
        $0.id.service == $1.id.service ? ConnectionOrder.isOlder($0, $1) : $0.id.service < $1.id.service
      }
    case .age: sorted = connections.sorted(by: ConnectionOrder.isOlder)
    case .received: sorted = by(connections, falling: true) { $0.received ?? 0 }
    case .sent: sorted = by(connections, falling: true) { $0.sent ?? 0 }
    case .peer: sorted = by(connections) { $0.peer ?? "" }
    case .process: sorted = by(connections) { $0.process }
    case .waiting: sorted = by(connections) { $0.waiting?.rawValue ?? "~" }
    }
    return isReversed ? sorted.reversed() : sorted
  }

  /// The next one in the order of `allCases`, after the last the first.
  var next: ConnectionOrder {
    let all = ConnectionOrder.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }

  /// Equal ones are in the order of their ages, so that rows stay where they are.
  private func by<Key: Comparable>(
    _ connections: [ConnectionStatus], falling: Bool = false, _ key: (ConnectionStatus) -> Key
  ) -> [ConnectionStatus] {
    connections.map { (key($0), $0) }.sorted { one, other in
      if one.0 == other.0 { return ConnectionOrder.isOlder(one.1, other.1) }
      return falling ? one.0 > other.0 : one.0 < other.0
    }.map(\.1)
  }

  private static func isOlder(_ one: ConnectionStatus, _ other: ConnectionStatus) -> Bool {
    one.age == other.age ? one.id.slot < other.id.slot : one.age > other.age
  }
}
