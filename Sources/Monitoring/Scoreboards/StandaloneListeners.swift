import ControlProtocol
@_spi(Begat) import UnixCore

/// Listeners that run without begatd, from their scoreboards in runtime directories.
public struct StandaloneListeners {
  private let boards: [ScoreboardReader]

  /// The runtime directories of those that run as units.
  public static var unitDirectories: [String] { StandaloneBoard.runtimeDirectories() }

  /// Looks for them.
  ///
  /// - Parameter directories: runtime directories, such as `/run/begat`.
  public init(in directories: [String]) {
    boards = directories.flatMap { StandaloneBoard.readers(in: $0) }
  }

  public var isEmpty: Bool { boards.isEmpty }

  /// A row for each of them.
  public var services: [ServiceStatus] {
    let now = SystemClock.monotonic()
    return boards.map { $0.status(now: now) }
  }

  /// Adds their open connections to a report, until it has as many as it may.
  ///
  /// - Parameter service: adds only connections of listeners of this name.
  public func addConnections(to report: inout ConnectionReport, of service: String? = nil, atMost limit: Int = 10_000) {
    let now = SystemClock.monotonic()
    for board in boards where service == nil || board.serviceName == service {
      let unix = board.addresses.filter { !$0.isDatagram && $0.text.hasPrefix("/") }
      let place = ScoreboardPlace(
        service: board.serviceName, generation: UInt64(max(0, board.listener)), listener: board.listener,
        unixAddress: unix.count == 1 ? .unixPath(UnixPath(unix[0].text)) : nil)
      report.add(board, at: place, atMost: limit, now: now)
    }
  }

  /// Whether one of them serves a service of this name.
  public func hasService(_ name: String) -> Bool { boards.contains { $0.serviceName == name } }
}

extension ScoreboardReader {
  /// The file may be written by any program of its user: the name is shown, and nothing else is done with it.
  fileprivate var serviceName: String { service.escaped(doublingBackslashes: false) }

  fileprivate func status(now: Int64) -> ServiceStatus {
    var status = ServiceStatus(name: serviceName, state: isDraining ? .draining : .serving)
    status.isStandalone = true
    status.addresses = addresses.map { ServiceStatus.Address($0.text, isDatagram: $0.isDatagram) }
    status.active = UInt64(active)
    status.spares = UInt64(spares)
    if status.addresses.contains(where: { !$0.isDatagram }) { status.limit = UInt64(slotCount - spareSlots) }
    let start = max(0, min(started, now))
    status.take(
      counters, now: now, since: start, answersDatagrams: status.addresses.contains(where: \.isDatagram))
    status.listeners = [
      ListenerStatus(
        process: listener, generation: UInt64(max(0, listener)), role: isDraining ? .retiring : .current,
        age: .nanoseconds(now - start), active: status.active)
    ]
    return status
  }
}
