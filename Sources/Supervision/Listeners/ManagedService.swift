import Configuration
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// A service that begatd offers: its sockets, which stay open, and its listener, which may come and go.
final class ManagedService {
  let configuration: ServiceConfiguration
  private(set) var sockets: [HeldSocket]
  var listener: ListenerProcess?
  /// When the next listener is to be started, CLOCK_MONOTONIC nanoseconds; nil while one runs.
  var restartTime: Int64?
  private var restartDelay: Int64 = 0
  private var lastListenerNumber: UInt64 = 0
  /// What listeners that have ended have counted.
  var totals = ServiceCounters()

  init(_ configuration: ServiceConfiguration, sockets: [HeldSocket]) {
    self.configuration = configuration
    self.sockets = sockets
  }

  var name: String { configuration.name }

  func nextListenerNumber() -> UInt64 {
    lastListenerNumber += 1
    return lastListenerNumber
  }

  var socketKinds: Set<ServiceMode.SocketKind> {
    Set(sockets.map { ServiceMode.SocketKind($0.address, isStream: !$0.isDatagram) })
  }

  /// Keys that the service's own table sets and that have no effect on the sockets that were passed, with the reason.
  var keysWithoutEffect: [String] {
    var mode = configuration.mode
    mode.sockets = socketKinds
    return ServiceRules.violations(of: configuration.settings, own: configuration.ownKeys, in: mode).map { violation in
      let origin = configuration.origins[violation.key]?.description ?? "\(configuration.place): \(violation.key)"
      return "\(origin): \(violation.message); look at the sockets that were passed"
    }
  }
  var isReady: Bool { listener?.readySince != nil }

  /// Starts that failed in a row.
  var startRetry = Retry()

  private static let healthyAge: Int64 = 60_000_000_000
  private static let youngAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 30_000_000_000
  /// A listener that works and is killed by others, however often: clients wait no longer than half a second.
  private static let longestDelayAfterKill: Int64 = 400_000_000

  /// Plans the next listener after the last one ended: immediately if that had served for a while, later and later if
  /// it dies young.
  ///
  /// - Returns: the delay in nanoseconds.
  func scheduleRestart(after dead: ListenerProcess, _ status: ExitStatus) -> Int64 {
    let now = SystemClock.monotonic()
    let age = dead.readySince.map { now - $0 } ?? 0
    if age >= ManagedService.healthyAge { restartDelay = 0 }
    var delay: Int64 = 0
    if age < ManagedService.youngAge {
      let wasKilled = dead.wasEndedFromOutside(status)
      let longest = wasKilled ? ManagedService.longestDelayAfterKill : ManagedService.longestDelay
      delay = min(restartDelay, longest)
      restartDelay = min(max(2 * delay, ManagedService.shortestDelay), longest)
    }
    restartTime = now + delay
    return delay
  }

  /// Names the socket's path in records of a Unix socket's clients, who have no address, where there is one such socket.
  func naming(_ records: [ConnectionRecord]) -> [ConnectionRecord] {
    guard let address = onlyUnixAddress else { return records }
    return records.map { record in
      var record = record
      if record.user != nil { record.peer = address }
      return record
    }
  }

  private(set) lazy var onlyUnixAddress: SocketAddress? = {
    let addresses = sockets.filter { !$0.isDatagram && $0.address.isUnix }.map(\.address)
    return addresses.count == 1 ? addresses[0] : nil
  }()

  /// Closes the sockets and removes the files that begatd made.
  func closeSockets() {
    for socket in sockets { socket.file?.removeIfOurs() }
    sockets = []
  }
}
