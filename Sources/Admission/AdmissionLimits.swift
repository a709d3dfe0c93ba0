import UnixIPC

/// What a service allows its clients.
public struct AdmissionLimits: Hashable, Sendable {
  /// Nil admits every client that `deny` does not name; an empty list admits none.
  public var allow: [AccessPeer]?
  public var deny: [AccessPeer] = []
  public var maxConnections = 256
  public var maxConnectionsPerSource = 32
  public var rate: RateLimit?
  public var ratePerSource: RateLimit?
  public var sourcePrefix = SourcePrefix()
  public var whenFull = WhenFull.wait

  public init() {}
}

/// What happens to clients that a service has no room for.
public enum WhenFull: String, CaseIterable, Sendable {
  /// They stay in the backlog until there is.
  case wait
  case refuse
}

/// Why somebody is refused.
public enum Refusal: Int, CaseIterable, Sendable {
  /// By `allow` and `deny`.
  case denied
  case maxConnectionsPerSource
  case ratePerSource
  /// These two refuse only where `when-full` says so.
  case maxConnections
  case rate

  /// Whether it may be over as soon as a connection ends.
  public var concernsOpenConnections: Bool { self == .maxConnections || self == .maxConnectionsPerSource }

  /// The key of the configuration that is responsible.
  public var key: String {
    switch self {
    case .denied: "allow and deny"
    case .maxConnectionsPerSource: "max-connections-per-source"
    case .ratePerSource: "rate-per-source"
    case .maxConnections: "max-connections"
    case .rate: "rate"
    }
  }
}
