/// The answer to `status`: begatd, its services, and who is denied.
public struct StatusReport: Hashable, Sendable {
  /// Nil where no begatd answers: then all services are listeners that run without it.
  public var daemon: DaemonStatus?
  public var services: [ServiceStatus]
  public var denials: [Denial]
  /// Further denials that the report does not list.
  public var omittedDenials = 0

  public init(daemon: DaemonStatus?, services: [ServiceStatus], denials: [Denial] = []) {
    self.daemon = daemon
    self.services = services
    self.denials = denials
  }
}

/// A network that `begat deny` keeps away.
public struct Denial: Hashable, Sendable {
  public var network: String
  /// Nil for all services.
  public var service: String?
  /// The time until it ends; nil if it does not.
  public var remaining: Duration?

  public init(network: String, service: String?, remaining: Duration?) {
    self.network = network
    self.service = service
    self.remaining = remaining
  }
}
