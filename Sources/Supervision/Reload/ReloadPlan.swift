import Configuration
import Control
import Settings
@_spi(Begat) import UnixCore

/// The changes of a new configuration: a value, made of what is in force and what is wanted, without touching anything.
struct ReloadPlan {
  /// A service as it is in force.
  struct Running {
    var configuration: ServiceConfiguration
    var inputs: ListenerInputs
  }

  /// A service that goes on, and how it differs.
  struct Change: Hashable {
    /// Among the services in force.
    var old: Int
    /// Among the wanted ones.
    var new: Int
    /// Keys and inputs that differ; empty for a service that goes on as it is.
    var reasons: [String]
    /// Whether its listener cannot go on as it is.
    var needsListener: Bool
  }

  /// The services of the new configuration that are enabled.
  let wanted: [LoadedService]
  private(set) var kept: [Change] = []
  /// Among the wanted ones.
  private(set) var added: [Int] = []
  /// Among the services in force.
  private(set) var removed: [Int] = []
  /// Which open sockets the wanted services get.
  let sockets: SocketAssignment
  private let open: [SocketAssignment.Open]
  private let oldNames: [String]
  private let drained: Set<String>
  /// Keys of `[daemon]` that are in force from now on.
  private(set) var daemonKeys: [String] = []
  /// Keys of `[daemon]` that have changed and take effect at the next start.
  private(set) var needingRestart: [String] = []
  /// The user that looks up names of hosts.
  let resolver: ResolverUser
  private let warnings: [String]

  /// - Parameter open: the sockets that are open, each with its service.
  /// - Parameter drained: the services in force that accept no clients, and those that were removed so; they go on so.
  init(
    from running: [Running], daemon: DaemonSettings, open: [SocketAssignment.Open], drained: Set<String> = [],
    to loaded: LoadedConfiguration
  ) {
    wanted = loaded.services
    self.open = open
    oldNames = running.map(\.configuration.name)
    resolver = loaded.configuration.resolver
    warnings = loaded.configuration.warnings.map(\.description)
    self.drained = drained
    sockets = SocketAssignment(wanted.map(\.configuration), open: open, drained: drained)
    compareDaemon(daemon, loaded.configuration.daemon)
    var old: [String: Int] = [:]
    for (index, service) in running.enumerated() { old[service.configuration.name] = index }
    var openOf: [String: Set<Int>] = [:]
    for (index, socket) in open.enumerated() { openOf[socket.service ?? "", default: []].insert(index) }
    let portsChange = datagramPorts(of: open) != newDatagramPorts
    for (index, service) in wanted.enumerated() {
      guard let oldIndex = old.removeValue(forKey: service.configuration.name) else {
        added.append(index)
        continue
      }
      let comparison = ServiceComparison(
        old: running[oldIndex], new: service, hasSameSockets: hasSameSockets(index, openOf[service.configuration.name]),
        kinds: isDrained(index) ? service.configuration.mode.sockets : kinds(of: sockets.sources[index]),
        datagramPortsChange: portsChange)
      kept.append(
        Change(old: oldIndex, new: index, reasons: comparison.reasons, needsListener: comparison.needsListener))
    }
    removed = old.values.sorted()
  }

  var changed: [Change] { kept.filter { !$0.reasons.isEmpty } }

  /// Whether a wanted service goes on without accepting clients.
  func isDrained(_ wanted: Int) -> Bool { drained.contains(self.wanted[wanted].configuration.name) }

  var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty && daemonKeys.isEmpty }

  /// Sockets that are to be bound, in the order of the services that get them.
  var newSockets: Int {
    sockets.sources.reduce(0) { count, sources in
      count + sources.count { if case .new = $0 { true } else { false } }
    }
  }

  /// The report for those who asked for the reload.
  func report(isDryRun: Bool) -> ReloadReport {
    var report = ReloadReport(isDryRun: isDryRun, unchanged: kept.count - changed.count)
    report.added = added.map { wanted[$0].configuration.name }
    report.removed = removed.map { oldNames[$0] }
    report.changed = changed.map { ReloadReport.Change(wanted[$0.new].configuration.name, $0.reasons) }
    report.daemonKeys = daemonKeys
    report.needingRestart = needingRestart
    report.warnings =
      warnings
      + added.filter(isDrained).map { index in
        let name = wanted[index].configuration.name
        return
          "service.\(name): it was drained before it was removed, and is drained; begat resume \(name) lets it serve"
      }
    return report
  }

  private mutating func compareDaemon(_ old: DaemonSettings, _ new: DaemonSettings) {
    for key in DaemonSettings.keys where key.value(in: old) != key.value(in: new) {
      if ReloadPlan.keysInForce.contains(key.name) {
        daemonKeys.append(key.name)
      } else {
        needingRestart.append(key.name)
      }
    }
  }

  /// Keys of `[daemon]` whose change takes effect without a restart.
  static let keysInForce: Set = ["log-level", "log-file", "drain-timeout", "announce-time", "identity-range"]

  private func hasSameSockets(_ index: Int, _ old: Set<Int>?) -> Bool {
    var found: Set<Int> = []
    for source in sockets.sources[index] {
      switch source {
      case .open(let socket): found.insert(socket)
      case .new: return false
      case .missing: break
      }
    }
    return found == old ?? []
  }

  private func kinds(of sources: [SocketAssignment.Source]) -> Set<ServiceMode.SocketKind> {
    Set(
      sources.compactMap { source in
        switch source {
        case .open(let index): ServiceMode.SocketKind(open[index].address, isStream: !open[index].isDatagram)
        case .new(let address, let isDatagram, _): ServiceMode.SocketKind(address, isStream: !isDatagram)
        case .missing: nil
        }
      })
  }

  private func datagramPorts(of open: [SocketAssignment.Open]) -> Set<UInt16> {
    Set(open.filter(\.isDatagram).compactMap(\.address.port))
  }

  /// The ports at which services will answer datagrams; 0 stands for one that the kernel is still to choose.
  private var newDatagramPorts: Set<UInt16> {
    var ports: Set<UInt16> = []
    for source in sockets.sources.joined() {
      switch source {
      case .open(let index): if open[index].isDatagram { ports.formUnion(datagramPorts(of: [open[index]])) }
      case .new(let address, let isDatagram, _): if isDatagram, let port = address.port { ports.insert(port) }
      case .missing: break
      }
    }
    return ports
  }
}
