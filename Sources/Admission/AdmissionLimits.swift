@_spi(Begat) import UnixCore

/// The limits that a service sets to its clients.
public struct AdmissionLimits: Hashable, Sendable {
  /// Nil admits every client that `deny` does not name; an empty list admits none.
  public var allow: [AccessPeer]?
  /// The peers that are refused, unless a more specific entry of `allow` admits them.
  public var deny: [AccessPeer] = []
  /// Peers that must send a PROXY header, which is trusted; empty if clients connect directly.
  public var proxies: [AccessPeer] = []
  /// How many connections may be open.
  public var maxConnections = 256
  /// How many connections of one source may be open.
  public var maxConnectionsPerSource = 32
  /// How often connections may come; nil for any rate.
  public var rate: RateLimit?
  /// How often connections of one source may come; nil for any rate.
  public var ratePerSource: RateLimit?
  /// How long sources wait after abuse; nil for no time.
  public var denyTime: DenyTime?
  /// The peers that never wait for abuse.
  public var denyExempt: [AccessPeer] = []
  /// The bits of addresses that make a source.
  public var sourcePrefix = SourcePrefix()
  /// Whether clients wait or are refused at a limit of the whole service.
  public var whenFull = WhenFull.wait

  /// The limits of a service that sets none itself.
  public init() {}
}

/// The treatment of clients for which a service has no room.
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
  /// An administrator has banned the client's network.
  case banned
  /// The client's source waits after abuse.
  case denyTime
  /// The peer is not in `proxy-from`.
  case notProxy
  /// A proxy sent something other than a PROXY header.
  case invalidProxyHeader
  /// A proxy's header did not arrive in time, or a newer connection took its place.
  case lateProxyHeader

  /// Whether the reason may disappear when a connection ends.
  public var concernsOpenConnections: Bool { self == .maxConnections || self == .maxConnectionsPerSource }

  /// Whether the client's source alone is the cause.
  var concernsSource: Bool { self == .maxConnectionsPerSource || self == .ratePerSource }

  /// The key of the configuration, or the command, that is responsible.
  public var key: String {
    switch self {
    case .denied: "allow and deny"
    case .maxConnectionsPerSource: "max-connections-per-source"
    case .ratePerSource: "rate-per-source"
    case .maxConnections: "max-connections"
    case .rate: "rate"
    case .banned: "begat deny"
    case .denyTime: "deny-time"
    case .notProxy: "proxy-from"
    case .invalidProxyHeader: "proxy-header"
    case .lateProxyHeader: "proxy-timeout"
    }
  }
}
