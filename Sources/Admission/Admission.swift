@_spi(Begat) import UnixCore

/// Decides which clients of a service get a connection process.
///
/// Processes forked later do not have its memory: they can neither read nor change what is counted here.
public struct Admission: ~Copyable {
  /// Whether a client is admitted.
  public enum Decision: ~Copyable {
    /// The client is admitted, and a place is reserved for it.
    case admitted(Reservation)
    /// The client is refused.
    case refused(Refusal)
  }

  /// The decision about the next client in the backlog.
  public enum Answer: ~Copyable {
    /// The client was accepted, and it was decided whether it is admitted.
    case accepted(Decision)
    /// No client may be accepted now: they stay in the backlog.
    case wait(Wait)
  }

  /// When a client may be accepted again.
  public enum Wait: Hashable, Sendable {
    /// At this time: until then the rate is used up.
    case until(Deadline)
    /// When a connection ends: there are as many as allowed.
    case atCapacity
  }

  /// Sources remembered, many times what a busy service meets in the time that its rates look back.
  public static let sourceCapacity = 65_536

  /// The limits of the service.
  public let limits: AdmissionLimits
  private let rules: AccessRules
  private let bucket: TokenBucket?
  private let bucketPerSource: TokenBucket?
  private let memory: MemoryMapping
  private let book: UnsafeMutablePointer<AdmissionBook>

  /// Makes an admission that has admitted no client yet.
  ///
  /// - Parameter sourceCapacity: how many sources are remembered; it is raised to have room for all connections.
  /// - Throws: `ENOMEM` when there is no memory for them.
  public init(_ limits: AdmissionLimits, sourceCapacity: Int = Admission.sourceCapacity) throws(SystemCallError) {
    let capacity = max(sourceCapacity, limits.maxConnections + 1)
    memory = try MemoryMapping.shared(size: AdmissionBook.size(capacity: capacity), isInherited: false)
    book = AdmissionBook.open(in: memory.unsafeBytes, capacity: capacity)
    rules = AccessRules(allow: limits.allow, deny: limits.deny)
    bucket = limits.rate.map(TokenBucket.init)
    bucketPerSource = limits.ratePerSource.map(TokenBucket.init)
    self.limits = limits
  }

  /// Decides on the next client that waits.
  ///
  /// - Parameter accept: takes the client out of the backlog.  It is called only if a client may be accepted at all: at a
  ///   limit of the whole service the clients stay where they are, unless `when-full` says that they are refused.
  /// - Throws: what `accept` throws; nothing is taken then.
  public func admit(now: Deadline, _ accept: () throws(SystemCallError) -> Client) throws(SystemCallError) -> Answer {
    if let wait = wait(now: now) { return .wait(wait) }
    return .accepted(admit(try accept(), now: now))
  }

  /// Decides on a client that was accepted already: a limit of the whole service refuses it.
  public func admit(_ client: Client, now: Deadline) -> Decision {
    guard rules.decision(on: client.address, user: client.user).isAllowed else { return .refused(.denied) }
    let number = table.find(client.source, now: now)
    if let refusal = refusal(of: number, now: now) { return .refused(refusal) }
    table.begin(number, fullAt: takeTokens(of: number, now: now))
    book.pointee.active += 1
    return .admitted(Reservation(in: book, source: number))
  }

  /// Decides on an event that leaves nothing open, such as a datagram; nil if it is admitted.
  public func refusalOfEvent(from client: Client, now: Deadline) -> Refusal? {
    guard rules.decision(on: client.address, user: client.user).isAllowed else { return .denied }
    let number = table.find(client.source, now: now)
    if let refusal = refusal(of: number, now: now) { return refusal }
    table.touch(number, fullAt: takeTokens(of: number, now: now))
    return nil
  }

  /// How many places are taken.
  public var active: Int { book.pointee.active }
  /// How many sources are remembered.
  public var sources: Int { table.count }

  private var table: SourceTable { book.pointee.table }

  private func wait(now: Deadline) -> Wait? {
    guard limits.whenFull == .wait else { return nil }
    if book.pointee.active >= limits.maxConnections { return .atCapacity }
    guard let next = bucket?.nextTime(fullAt: book.pointee.fullAt), next > now else { return nil }
    return .until(next)
  }

  private func refusal(of number: SourceTable.Number, now: Deadline) -> Refusal? {
    if table.active(number) >= limits.maxConnectionsPerSource { return .maxConnectionsPerSource }
    if let bucketPerSource, bucketPerSource.nextTime(fullAt: table.fullAt(number)) > now { return .ratePerSource }
    if book.pointee.active >= limits.maxConnections { return .maxConnections }
    if let bucket, bucket.nextTime(fullAt: book.pointee.fullAt) > now { return .rate }
    return nil
  }

  /// Takes a token of each bucket; returns when the source's is full again.
  private func takeTokens(of number: SourceTable.Number, now: Deadline) -> Deadline {
    if let bucket { book.pointee.fullAt = bucket.taking(fullAt: book.pointee.fullAt, now: now) }
    return bucketPerSource?.taking(fullAt: table.fullAt(number), now: now) ?? now
  }
}
