@_spi(Begat) import UnixCore

/// The limits that a service sets to its clients.
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

/// What happens to clients for which a service has no room.
public enum WhenFull: String, CaseIterable, Sendable {
  /// They stay in the backlog until there is room.
  case wait
  /// They are refused.
  case refuse
}

/// Why a client is refused.
public enum Refusal: Int, CaseIterable, Sendable {
  /// `allow` and `deny` do not admit the client.
  case denied
  /// The client's source has as many open connections as allowed.
  case maxConnectionsPerSource
  /// As many connections as allowed have come from the client's source.
  case ratePerSource
  /// As many connections as allowed are open; a reason to refuse only where `when-full` says so.
  case maxConnections
  /// As many connections as allowed have come; a reason to refuse only where `when-full` says so.
  case rate

  /// Whether the reason may disappear when a connection ends.
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
