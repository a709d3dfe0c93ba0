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

/// Decides which clients of a service get a connection process.
///
/// Processes forked later do not have its memory: they can neither read nor change what is counted here.  Times are
/// CLOCK_MONOTONIC, nanoseconds.
public struct Admission: ~Copyable {
  /// A place that somebody has until it is given back.
  public struct Ticket: Hashable, Sendable {
    public let source: UInt32
    /// How many places the source has, this one included.
    public let placesOfSource: Int
  }

  public enum Verdict: Hashable, Sendable {
    case admitted(Ticket)
    case refused(Refusal)
  }

  /// Whether the listener may accept a client now.
  public enum Opening: Hashable, Sendable {
    case now
    /// The rate is used up until then.
    case at(Int64)
    /// As many are admitted as may be; when one ends, there is room.
    case whenOneEnds
  }

  private struct Totals {
    var active = 0
    var fullAt: Int64 = 0
  }

  /// Sources remembered, many times what a busy service meets in the time that its rates look back.
  public static let sourceCapacity = 65_536

  public let limits: AdmissionLimits
  private let rules: AccessRules
  private let bucket: TokenBucket?
  private let bucketPerSource: TokenBucket?
  private let memory: MemoryMapping
  private let totals: UnsafeMutablePointer<Totals>
  private let table: SourceTable

  /// - Parameter sourceCapacity: is raised to have room for all connections.
  public init(_ limits: AdmissionLimits, sourceCapacity: Int = Admission.sourceCapacity) throws(CallFailure) {
    let capacity = max(sourceCapacity, limits.maxConnections + 1)
    let tableOffset = 64
    memory = try MemoryMapping.keptFromChildren(size: tableOffset + SourceTable.size(capacity: capacity))
    totals = memory.bytes.baseAddress!.bindMemory(to: Totals.self, capacity: 1)
    table = SourceTable(
      memory: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[tableOffset...]), capacity: capacity)
    rules = AccessRules(allow: limits.allow, deny: limits.deny)
    bucket = limits.rate.map(TokenBucket.init)
    bucketPerSource = limits.ratePerSource.map(TokenBucket.init)
    self.limits = limits
  }

  /// Whether somebody may be accepted, as far as that does not depend on who it is.
  public func opening(now: Int64) -> Opening {
    guard limits.whenFull == .wait else { return .now }
    if totals.pointee.active >= limits.maxConnections { return .whenOneEnds }
    if let bucket {
      let next = bucket.nextTime(fullAt: totals.pointee.fullAt)
      if next > now { return .at(next) }
    }
    return .now
  }

  /// Decides on a client, and counts it if it is admitted: until `giveBack`.
  public func admit(_ address: SocketAddress?, user: UInt32?, now: Int64) -> Verdict {
    guard rules.decision(on: address, user: user).isAllowed else { return .refused(.denied) }
    let source = Source(address, user: user, prefix: limits.sourcePrefix)
    let number = table.find(source, now: now)
    if let refusal = refusal(of: number, now: now) { return .refused(refusal) }
    table.begin(number, fullAt: takeTokens(of: number, now: now))
    totals.pointee.active += 1
    return .admitted(Ticket(source: number, placesOfSource: table.active(number)))
  }

  /// Decides on an event that is over at once, such as a datagram; nil when it is admitted.
  public func refusalOfEvent(from address: SocketAddress?, user: UInt32?, now: Int64) -> Refusal? {
    guard rules.decision(on: address, user: user).isAllowed else { return .denied }
    let source = Source(address, user: user, prefix: limits.sourcePrefix)
    let number = table.find(source, now: now)
    if let refusal = refusal(of: number, now: now) { return refusal }
    table.touch(number, fullAt: takeTokens(of: number, now: now))
    return nil
  }

  /// Gives a place back.
  public func giveBack(_ ticket: Ticket) {
    if table.end(ticket.source) { totals.pointee.active -= 1 }
  }

  /// How many places are taken.
  public var active: Int { totals.pointee.active }
  /// How many sources are remembered.
  public var sources: Int { table.count }

  private func refusal(of number: SourceTable.Number, now: Int64) -> Refusal? {
    if table.active(number) >= limits.maxConnectionsPerSource { return .maxConnectionsPerSource }
    if let bucketPerSource, bucketPerSource.nextTime(fullAt: table.fullAt(number)) > now { return .ratePerSource }
    if totals.pointee.active >= limits.maxConnections { return .maxConnections }
    if let bucket, bucket.nextTime(fullAt: totals.pointee.fullAt) > now { return .rate }
    return nil
  }

  /// Takes a token of each bucket; returns when the source's is full again.
  private func takeTokens(of number: SourceTable.Number, now: Int64) -> Int64 {
    if let bucket { totals.pointee.fullAt = bucket.taking(fullAt: totals.pointee.fullAt, now: now) }
    return bucketPerSource?.taking(fullAt: table.fullAt(number), now: now) ?? now
  }
}
