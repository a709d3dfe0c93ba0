/// What a program of a service receives.
public enum Handover: Hashable, Sendable {
  /// Each connection: a process of the program for each.
  case connections
  /// Each connection's bytes, through a process that measures the client's time.
  case relayedConnections
  /// The sockets themselves: `wait = true`.
  case sockets
}

/// What a service offers.
public enum ServiceOffer: Hashable, Sendable {
  case builtIn(BuiltIn)
  case program(Handover)
}

/// The circumstances in which a service's settings are used: they decide which keys have an effect.
public struct ServiceMode: Hashable, Sendable {
  public var offer: ServiceOffer
  /// Kinds of sockets that clients come through.
  public var sockets: Set<SocketKind>
  /// Kinds of sockets that the reader of the settings binds itself; others are passed to it.
  public var bound: Set<SocketKind>
  /// Whether a Unix socket that the reader binds has a path: an abstract one has neither owner nor mode.
  public var bindsPaths: Bool
  /// Whether one connection is served, on standard input and output.
  public var isStdio: Bool
  /// The least nice value that the reader can give to programs.
  public var leastNice: Int
  /// Whether programs may change their nice value at all.
  public var mayChangeNice: Bool
  /// Whether someone looks up names of hosts.
  public var hasResolver: Bool
  /// Whether no process that the reader starts can gain privileges.
  public var hasNoNewPrivileges: Bool
  /// Whether the reader has given up, for all that it starts, what set-user-ID programs gain.
  public var hasCutBoundingSet: Bool
  /// Why the machine cannot confine services; nil if it can.
  public var missingForSandbox: String?

  public init(
    offer: ServiceOffer, sockets: Set<SocketKind>, bound: Set<SocketKind>? = nil, bindsPaths: Bool? = nil,
    isStdio: Bool = false, leastNice: Int = 0, mayChangeNice: Bool = true, hasResolver: Bool = true,
    hasNoNewPrivileges: Bool = false, hasCutBoundingSet: Bool = false, missingForSandbox: String? = nil
  ) {
    self.offer = offer
    self.sockets = sockets
    self.bound = bound ?? sockets
    self.bindsPaths = bindsPaths ?? self.bound.contains { !$0.isInternet }
    self.isStdio = isStdio
    self.leastNice = leastNice
    self.mayChangeNice = mayChangeNice
    self.hasResolver = hasResolver
    self.hasNoNewPrivileges = hasNoNewPrivileges
    self.hasCutBoundingSet = hasCutBoundingSet
    self.missingForSandbox = missingForSandbox
  }

  /// Nil for a program.
  public var builtIn: BuiltIn? { if case .builtIn(let builtIn) = offer { builtIn } else { nil } }
  /// Nil for a built-in service.
  public var handover: Handover? { if case .program(let handover) = offer { handover } else { nil } }
}
