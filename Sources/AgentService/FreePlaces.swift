import ControlProtocol
import Monitoring

extension DaemonState {
  /// The minimum: a server without weight would get no client, and a full one lets them wait in its backlog.
  private static let minShare = 10

  /// The smallest share of free places among the services, in per cent.
  ///
  /// - Parameter names: the services that matter; none stands for all.
  /// - Parameter exception: the service that is being asked: its own client occupies a place.
  /// - Parameter board: returns the scoreboard of a number; nil counts as one without connections.
  func freeShare(of names: [String], except exception: String, board: (UInt32) -> ScoreboardReader?) -> Int {
    var share = 100
    for service in services where !service.isLeaving && (names.isEmpty || names.contains(service.name)) {
      guard service.name != exception, let limit = service.limit, limit > 0 else { continue }
      let active = service.listeners.reduce(0) { $0 + UInt64(board($1.board)?.active ?? 0) }
      let free = Double(limit - min(limit, active))
      share = min(share, Int((100 * free / Double(limit)).rounded()))
    }
    return max(DaemonState.minShare, share)
  }
}
