import Configuration
import Settings
import UnixIPC

/// A service that begatd offers: its sockets, which stay open, and its listener, which may come and go.
final class ManagedService {
  let configuration: ServiceConfiguration
  private(set) var sockets: [HeldSocket]
  var listener: ListenerProcess?
  /// When the next listener is to be started, CLOCK_MONOTONIC nanoseconds; nil while one runs.
  var restartTime: Int64?
  private var restartDelay: Int64 = 0

  init(_ configuration: ServiceConfiguration, sockets: [HeldSocket]) {
    self.configuration = configuration
    self.sockets = sockets
  }

  var name: String { configuration.name }
  var isReady: Bool { listener?.readySince != nil }

  private static let healthyAge: Int64 = 60_000_000_000
  private static let youngAge: Int64 = 1_000_000_000
  private static let shortestDelay: Int64 = 100_000_000
  private static let longestDelay: Int64 = 30_000_000_000

  /// Plans the next listener after the last one died: at once if that had served for a while, later and later if it
  /// dies young.
  ///
  /// - Returns: the delay in nanoseconds.
  func scheduleRestart(after dead: ListenerProcess) -> Int64 {
    let now = Clock.monotonic()
    let age = dead.readySince.map { now - $0 } ?? 0
    if age >= ManagedService.healthyAge { restartDelay = 0 }
    let delay = age < ManagedService.youngAge ? restartDelay : 0
    if age < ManagedService.youngAge {
      restartDelay = min(max(2 * restartDelay, ManagedService.shortestDelay), ManagedService.longestDelay)
    }
    restartTime = now + delay
    return delay
  }

  /// Closes the sockets and removes the files that begatd made.
  func closeSockets() {
    for socket in sockets { socket.file?.removeIfOurs() }
    sockets = []
  }
}
