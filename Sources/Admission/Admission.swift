import CSharedLayouts
@_spi(Begat) import UnixCore

/// Decides which clients of a service get a connection process.
///
/// Processes forked later do not have its memory, unless `setInherited(_:)` lets them: they can neither read nor change
/// what is counted here.
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
  let bans: BanReader?
  private let bucket: TokenBucket?
  private let bucketPerSource: TokenBucket?
  /// The bucket of refusals, for `deny-time`.
  private let patience: TokenBucket?
  private let exempt: AccessRules
  /// The book, the bans, and this process's own: table, and room for what shares the memory.
  let memory: MemoryRange
  let table: UnsafeMutablePointer<SourceTable>
  /// Zeroed memory beside the table, for processes that admit clients too; it begins at a multiple of 64.
  package let room: UnsafeMutableRawBufferPointer

  /// Makes an admission with a book of its own, which has admitted no client yet.
  ///
  /// - Parameter sourceCapacity: how many sources are remembered; it is raised to have room for all connections.
  /// - Parameter room: how many bytes `room` has.
  /// - Throws: `ENOMEM` when there is no memory for them.
  public init(
    _ limits: AdmissionLimits, sourceCapacity: Int = Admission.sourceCapacity, bans: consuming BanReader? = nil,
    room: Int = 0
  ) throws(SystemCallError) {
    let capacity = max(sourceCapacity, limits.maxConnections + 1)
    let memory = try MemoryMapping.shared(size: BookPart.size(capacity: capacity), isInherited: false)
    BookPart.begin(at: memory.unsafeBytes.baseAddress!)
    try self.init(limits, memory, at: 0, column: 0, bans, room: room)
    begin()
  }

  /// Makes an admission that continues a book: `begin(clearing:)` must be called once before it decides on a client.
  ///
  /// - Parameter object: what `AdmissionBook.create` made; it may be closed afterwards.
  /// - Parameter column: 0 to 3; no other living listener of the service may have the same.
  /// - Parameter room: how many bytes `room` has.
  /// - Throws: `EINVAL` when the object is too small for the limits, or no book that this program knows.
  public init(
    _ limits: AdmissionLimits, book object: borrowing Descriptor, part: AdmissionBook.Part = .connections,
    column: Int = 0, bans: consuming BanReader? = nil, room: Int = 0
  ) throws(SystemCallError) {
    let size = try MemoryFile.size(of: object)
    guard size > AdmissionBook.connectionsOffset else { throw Admission.unusableBook }
    let offset = part == .datagrams ? 0 : AdmissionBook.connectionsOffset
    let end = part == .datagrams ? AdmissionBook.connectionsOffset : size
    let memory = try MemoryMapping.file(object, size: end, writable: true, isInherited: false)
    if part == .connections, BookPart.capacity(size: end - offset) <= limits.maxConnections {
      throw Admission.unusableBook
    }
    try self.init(limits, memory, at: offset, column: column, bans, room: room)
  }

  /// Makes an admission that continues a book, or one with a book of its own where there is no object.
  public init(
    _ limits: AdmissionLimits, book object: borrowing Descriptor?, part: AdmissionBook.Part = .connections,
    column: Int = 0, bans: consuming BanReader? = nil, room: Int = 0
  ) throws(SystemCallError) {
    switch object {
    case nil: try self.init(limits, bans: bans, room: room)
    case .some(let object): try self.init(limits, book: object, part: part, column: column, bans: bans, room: room)
    }
  }

  private static let unusableBook = SystemCallError("mmap", on: "admission book", code: .invalidArgument)

  /// - Parameter book: the memory of the book; its part begins at the offset.
  private init(
    _ limits: AdmissionLimits, _ book: consuming MemoryMapping, at offset: Int, column: Int,
    _ bans: consuming BanReader?, room: Int
  ) throws(SystemCallError) {
    let capacity = BookPart.capacity(size: book.count - offset)
    let tableOffset = Admission.roomOffset + (room + 63) / 64 * 64
    let own = try MemoryMapping.shared(size: tableOffset + SourceTable.size(capacity: capacity), isInherited: false)
    var memory = try MemoryRange(sizes: [book.count, own.count, bans == nil ? 0 : BanSlots.size])
    let bookBytes = try memory.take(book)
    let bytes = try memory.take(own)
    let bans = try bans.take()?.moved(into: &memory)
    guard let part = BookPart(in: UnsafeMutableRawBufferPointer(rebasing: bookBytes[offset...]), column: column) else {
      throw Admission.unusableBook
    }
    table = bytes.baseAddress!.bindMemory(to: SourceTable.self, capacity: 1)
    table.initialize(to: SourceTable(of: part, memory: UnsafeMutableRawBufferPointer(rebasing: bytes[tableOffset...])))
    self.room = UnsafeMutableRawBufferPointer(rebasing: bytes[Admission.roomOffset..<tableOffset])
    self.memory = memory
    self.bans = bans
    rules = AccessRules(allow: limits.allow, deny: limits.deny)
    bucket = limits.rate.map(TokenBucket.init)
    bucketPerSource = limits.ratePerSource.map(TokenBucket.init)
    patience = limits.denyTime?.patience
    exempt = AccessRules(allow: limits.denyExempt, deny: [])
    self.limits = limits
  }

  /// Where this value may lie in this process's own memory, and where the room is, before chains and heap: most of the
  /// things that a process needs that admits clients too are on the first page.
  static let ownOffset = 128
  static let roomOffset = 1024

  // MARK: - Generations

  /// Takes the book over from an earlier listener, which admits no client any more.
  ///
  /// The state of all rates remains, under the present limits; the sources of addresses whose prefix has changed begin
  /// anew.
  ///
  /// - Parameter columns: those of listeners that have ended; that of this listener is always cleared.
  public func begin(clearing columns: AdmissionColumns = [], now: Deadline = .now) {
    let book = table.pointee.book
    book.clear(columns.union(AdmissionColumns(Int(book.column))))
    if let bucket { book.fullAt = max(.immediate, bucket.adopting(fullAt: book.fullAt, now: now)) }
    let earlier = book.prefix
    table.pointee.rebuild(now: now) { entry in
      let source = Source(high: entry.pointee.high, low: entry.pointee.low)
      if source.isOutdated(byChangeFrom: earlier, to: limits.sourcePrefix) {
        (entry.pointee.high, entry.pointee.low) = (Source.orphan.high, Source.orphan.low)
        entry.pointee.full_at = 0
      }
      let fullAt = Deadline(instant: max(0, entry.pointee.full_at))
      entry.pointee.full_at = (bucketPerSource?.adopting(fullAt: fullAt, now: now) ?? fullAt).instant
      adoptDenial(of: entry, now: now)
    }
    book.prefix = limits.sourcePrefix
  }

  /// Takes all places back that ended listeners have left in their columns.
  public func clear(_ columns: AdmissionColumns) {
    table.locked {
      table.pointee.book.clear(columns.subtracting(AdmissionColumns(Int(table.pointee.book.column))))
      table.pointee.refreshTimes()
    }
  }

  /// How many places other listeners of the service hold: they accept no more, but their connections have not ended.
  public var othersActive: Int { table.pointee.book.othersActive }

  // MARK: - Decisions

  /// Decides on the next client that waits.
  ///
  /// - Parameter accept: takes the client out of the backlog.  It is called only if a client may be accepted at all: at a
  ///   limit of the whole service the clients stay where they are, unless `when-full` says that they are refused.
  /// - Throws: what `accept` throws; nothing is taken then.
  public func admit(now: Deadline, _ accept: () throws(SystemCallError) -> Client) throws(SystemCallError) -> Answer {
    try admit(now: now, accept) { _ in }
  }

  /// Decides as `admit(now:_:)`, and notes the decision while no other process admits a client.
  package func admit(
    now: Deadline, _ accept: () throws(SystemCallError) -> Client, noting note: (borrowing Decision) -> Void
  ) throws(SystemCallError) -> Answer {
    try table.locked { () throws(SystemCallError) in
      if let wait = wait(now: now) { return .wait(wait) }
      let decision = decide(on: try accept(), now: now)
      note(decision)
      return .accepted(decision)
    }
  }

  /// Decides on a client that was accepted already: a limit of the whole service refuses it.
  public func admit(_ client: Client, now: Deadline) -> Decision {
    table.locked { decide(on: client, now: now) }
  }

  private func decide(on client: Client, now: Deadline) -> Decision {
    if isBanned(client, now) { return .refused(.banned) }
    guard rules.decision(on: client.address, user: client.user).isAllowed else { return .refused(.denied) }
    let number = table.pointee.find(client.source, now: now)
    if isDenied(number, client, now: now) { return .refused(.denyTime) }
    if let refusal = refusal(of: number, now: now) { return .refused(refusal) }
    table.pointee.begin(number, fullAt: takeTokens(of: number, now: now))
    table.pointee.book.takePlace()
    return admitted(number)
  }

  private func admitted(_ number: SourceTable.Number) -> Decision {
    .admitted(Reservation(in: table, source: number, places: table.pointee.book.active(number)))
  }

  /// Decides on a connection without a client (LOCAL, UNKNOWN): only the limits of the whole service apply.
  public func admitProxy(now: Deadline) -> Decision {
    table.locked {
      if let refusal = refusalByService(now: now) { return .refused(refusal) }
      let number = table.pointee.find(.orphan, now: now)
      takeToken(now: now)
      table.pointee.begin(number, fullAt: now)
      table.pointee.book.takePlace()
      return admitted(number)
    }
  }

  /// Decides on an event that leaves nothing open, such as a datagram; nil if it is admitted.
  public func refusalOfEvent(from client: Client, now: Deadline) -> Refusal? {
    if isBanned(client, now) { return .banned }
    guard rules.decision(on: client.address, user: client.user).isAllowed else { return .denied }
    let number = table.pointee.find(client.source, now: now)
    if let refusal = refusal(of: number, now: now) { return refusal }
    table.pointee.touch(number, fullAt: takeTokens(of: number, now: now))
    return nil
  }

  // MARK: - Abuse

  /// Notes that a client was refused: its source is denied after as many refusals as `deny-time` says.
  ///
  /// Reasons that are not the source's own do not count.
  public func noteRefused(_ client: Client, _ refusal: Refusal, now: Deadline) {
    guard refusal.concernsSource, let patience, let time = limits.denyTime else { return }
    table.locked {
      let number = table.pointee.find(client.source, now: now)
      let forgivenAt = max(.immediate, table.pointee.book.forgivenAt(number))
      if patience.nextTime(fullAt: patience.taking(fullAt: forgivenAt, now: now)) > now {
        table.pointee.deny(number, until: now.advanced(by: time.duration))
      } else {
        table.pointee.noteRefused(number, forgivenAt: patience.taking(fullAt: forgivenAt, now: now))
      }
    }
  }

  /// Notes that the process of a connection has crashed: its source is denied, if there is a `deny-time`.
  public func noteCrashed(_ reservation: borrowing Reservation, now: Deadline) {
    guard let time = limits.denyTime else { return }
    table.locked { table.pointee.deny(reservation.source, until: now.advanced(by: time.duration)) }
  }

  private func isDenied(_ number: SourceTable.Number, _ client: Client, now: Deadline) -> Bool {
    guard limits.denyTime != nil, table.pointee.book.deniedUntil(number) > now else { return false }
    return !exempt.decision(on: client.address, user: client.user).isAllowed
  }

  /// Shortens an earlier denial to what the present limits allow.
  private func adoptDenial(of entry: UnsafeMutablePointer<begat_source>, now: Deadline) {
    let longest = limits.denyTime.map { now.advanced(by: $0.duration).instant } ?? 0
    entry.pointee.denied_until = min(max(0, entry.pointee.denied_until), longest)
    let forgivenAt = Deadline(instant: max(0, entry.pointee.forgiven_at))
    entry.pointee.forgiven_at = patience?.adopting(fullAt: forgivenAt, now: now).instant ?? 0
  }

  /// How many places are taken.
  public var active: Int { table.pointee.book.active }
  /// How many sources are remembered.
  public var sources: Int { table.pointee.count }

  func isBanned(_ client: Client, _ now: Deadline) -> Bool {
    switch bans {
    case .some(let bans): bans.isBanned(client.address, now: now)
    case nil: false
    }
  }

  /// How long no client may be accepted; nil if one may be accepted now.
  public func wait(now: Deadline) -> Wait? {
    guard limits.whenFull == .wait else { return nil }
    let book = table.pointee.book
    if book.active >= limits.maxConnections { return .atCapacity }
    guard let next = bucket?.nextTime(fullAt: book.fullAt), next > now else { return nil }
    return .until(next)
  }

  private func refusal(of number: SourceTable.Number, now: Deadline) -> Refusal? {
    let book = table.pointee.book
    if book.active(number) >= limits.maxConnectionsPerSource { return .maxConnectionsPerSource }
    if let bucketPerSource, bucketPerSource.nextTime(fullAt: book.fullAt(number)) > now { return .ratePerSource }
    return refusalByService(now: now)
  }

  private func refusalByService(now: Deadline) -> Refusal? {
    let book = table.pointee.book
    if book.active >= limits.maxConnections { return .maxConnections }
    if let bucket, bucket.nextTime(fullAt: book.fullAt) > now { return .rate }
    return nil
  }

  private func takeToken(now: Deadline) {
    guard let bucket else { return }
    let book = table.pointee.book
    book.fullAt = bucket.taking(fullAt: book.fullAt, now: now)
  }

  /// Takes a token of each bucket; returns when the source's is full again.
  private func takeTokens(of number: SourceTable.Number, now: Deadline) -> Deadline {
    takeToken(now: now)
    let fullAt = table.pointee.book.fullAt(number)
    return bucketPerSource?.taking(fullAt: fullAt, now: now) ?? max(fullAt, now)
  }
}
