/// Whether clients should come to begatd, or to some of its services: the one verdict of `/readyz`, `haproxy-agent` and
/// `begat status --check`.
public struct Readiness: Hashable, Sendable {
  /// A reason to send clients elsewhere.
  public struct Obstacle: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
      /// It passes by itself; clients wait in the backlog meanwhile.
      case start
      /// An order to drain or to stop: clients that are connected are served to the end.
      case order
      case failure
    }

    /// One line.
    public let text: String
    public let kind: Kind
  }

  /// None if clients may come: all services accept them and go on doing so.
  public private(set) var obstacles: [Obstacle] = []

  public var isReady: Bool { obstacles.isEmpty }

  /// - Parameter daemon: nil where the services have no begatd.
  /// - Parameter names: the services that matter; none stands for all, and for begatd's own start.
  init(_ daemon: DaemonStatus.State?, _ services: [some ReadinessSubject], of names: [String]) {
    switch daemon {
    case .starting: if names.isEmpty { add("begatd is starting", .start) }
    case .announcing: add("begatd has announced its stop", .order)
    case .stopping: add("begatd is stopping", .order)
    case .serving, .reloading, nil: break
    }
    // Clients do not expect a service that was removed from the configuration.
    let configured = services.filter { !$0.isLeaving }
    guard !names.isEmpty else {
      for service in configured { add(service) }
      return
    }
    for name in names {
      let meant = configured.filter { $0.name == name }
      if meant.isEmpty { add("no service \(name) is configured", .failure) }
      for service in meant { add(service) }
    }
  }

  private mutating func add(_ service: some ReadinessSubject) {
    switch service.state {
    case .serving: break
    case .starting: add("service \(service.name) is starting", .start)
    case .announcing: add("service \(service.name) has announced its drain", .order)
    case .draining, .drained: add("service \(service.name) is \(service.state.rawValue)", .order)
    case .failed: add("service \(service.name) has failed", .failure)
    }
  }

  private mutating func add(_ text: String, _ kind: Obstacle.Kind) {
    obstacles.append(Obstacle(text: text, kind: kind))
  }
}

/// The properties of a service that the verdict depends on.
protocol ReadinessSubject {
  var name: String { get }
  var state: ServiceStatus.State { get }
  /// Whether the configuration has given it up.
  var isLeaving: Bool { get }
}

extension ServiceState: ReadinessSubject {}
extension ServiceStatus: ReadinessSubject {}

extension DaemonState {
  /// - Parameter names: the services that matter; none stands for begatd and all of them.
  public func readiness(of names: [String] = []) -> Readiness { Readiness(state, services, of: names) }
}

extension StatusReport {
  /// - Parameter names: the services that matter; none stands for begatd and all of them.
  public func readiness(of names: [String] = []) -> Readiness { Readiness(daemon?.state, services, of: names) }
}
