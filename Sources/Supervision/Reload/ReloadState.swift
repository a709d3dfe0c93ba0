import Configuration
import Control
import Settings
@_spi(Begat) import UnixCore

/// The origin of a wish for a reload.
enum ReloadAsker {
  /// SIGHUP, which takes no answer.
  case signal
  /// A request, and where its answer goes.
  case request(isDryRun: Bool, answer: (ControlAnswer) -> Void)

  var isDryRun: Bool { if case .request(let isDryRun, _) = self { isDryRun } else { false } }
}

/// Reloads: those that are wanted, and the one that runs.
struct ReloadState {
  var queue = ReloadQueue<ReloadAsker>()
  let loader: ConfigurationLoader
  /// The table `[daemon]` that is in force.
  var daemon: DaemonSettings
  /// When the one that runs began, CLOCK_MONOTONIC nanoseconds.
  var startTime: Int64 = 0
  /// Until when the configuration is to be read; nil when it is not being read.
  var loadDeadline: Int64?
  /// How long reading it may take, in nanoseconds.
  static let loadPatience: Int64 = 60_000_000_000
  /// The configuration that is put in force as soon as a listener of begatd's own has closed its sockets.
  var waiting: (loaded: LoadedConfiguration, wait: ClosingWait)?
  /// The changes that the one that runs has put in force; nil before that.
  var report: ReloadReport?
  /// The services whose new listeners are waited for.
  var awaited: [ManagedService] = []
  /// Until when the service manager may take to let go of sockets that were given up, CLOCK_MONOTONIC nanoseconds; nil if
  /// that is not waited for.
  var storeDeadline: Int64?
  /// How long it may take, in nanoseconds.
  static let storePatience: Int64 = 2_000_000_000
  /// New listeners that could not be started; one line each.
  var failures: [String] = []
  /// The upgrade whose new listeners are waited for, which runs as a reload does.
  var upgrade: UpgradeCompletion?

  init(loader: ConfigurationLoader, daemon: DaemonSettings) {
    self.loader = loader
    self.daemon = daemon
  }

  /// Whether all that ask for the one that runs want to know what it would do.
  var isDryRun: Bool { queue.running?.allSatisfy(\.isDryRun) ?? false }

  /// Takes a service whose new listener serves, or cannot be started, out of those that are waited for.
  ///
  /// - Parameter failure: why it cannot.
  mutating func settle(_ service: ManagedService, failure: String? = nil) {
    guard let index = awaited.firstIndex(where: { $0 === service }) else { return }
    awaited.remove(at: index)
    if let failure { failures.append("\(service.name): \(failure)") }
  }
}
