@_spi(Begat) import UnixCore

/// Proxied connections that wait for a complete header: at most 64, for a short time, without a process or a place in
/// the service.
///
/// The memory is not copied by forks; without proxies none is allocated.
struct Antechamber: ~Copyable {
  /// The maximal number of connections that wait: a bit of a word for each.
  static let capacity = 64

  /// How long connections wait once their listener stops.
  struct Patience {
    /// For a header that has begun.
    let header: Duration
    /// For the first byte, which nearly every proxy sends right after the handshake.
    let firstByte: Duration = .milliseconds(100)
    /// For a place in the service, once the header is complete.
    let place: Duration = .seconds(1)

    /// While no new client waits: as long as for the ends of handshakes.
    static let atStop = Patience(header: .seconds(1))
    /// While new clients wait for the listener's successor.
    static let atHandover = Patience(header: .milliseconds(200))
  }

  private struct Entry: ~Copyable {
    let connection: AcceptedClient
    var deadline: Deadline
    /// Until when nothing at all may come.
    var silenceDeadline = Deadline.never
    /// Its number in the order of arrival.
    let order: UInt64
  }

  private let memory: MemoryMapping?
  private let storage: UnsafeMutablePointer<Entry>?
  private var arrivals: UInt64 = 0
  /// The places that are taken, a bit each.
  private(set) var taken: UInt64 = 0
  /// The places whose header is complete; their clients wait for room in the service, as others do in the backlog.
  private(set) var ready: UInt64 = 0
  /// Those that have sent something.
  private var begun: UInt64 = 0
  /// The earliest deadline.
  private(set) var due = Deadline.never

  /// - Parameter isUsed: whether connections will wait here at all.
  init(isUsed: Bool) throws(SystemCallError) {
    guard isUsed else {
      memory = nil
      storage = nil
      return
    }
    let size = Antechamber.capacity * MemoryLayout<Entry>.stride
    let memory = try MemoryMapping.private(size: size)
    storage = memory.unsafeBytes.baseAddress!.bindMemory(to: Entry.self, capacity: Antechamber.capacity)
    self.memory = consume memory
  }

  deinit { for place in Places(taken) { (entries + place).deinitialize(count: 1) } }

  private var entries: UnsafeMutablePointer<Entry> { storage! }

  var isEmpty: Bool { taken == 0 }
  var isFull: Bool { taken == .max }

  /// Takes a connection in; there must be room.
  ///
  /// - Parameter deadline: until when its header may be awaited.
  /// - Returns: its place.
  mutating func add(_ connection: consuming AcceptedClient, until deadline: Deadline) -> Int {
    precondition(!isFull)
    let place = (~taken).trailingZeroBitCount
    (entries + place).initialize(to: Entry(connection: connection, deadline: deadline, order: arrivals))
    arrivals += 1
    taken |= bit(place)
    due = min(due, deadline)
    return place
  }

  /// Removes a connection and returns it.
  mutating func take(_ place: Int) -> AcceptedClient {
    precondition(taken & bit(place) != 0)
    taken &= ~bit(place)
    ready &= ~bit(place)
    begun &= ~bit(place)
    let entry = (entries + place).move()
    findDue()
    return entry.connection
  }

  /// The number of a connection's descriptor.
  func number(_ place: Int) -> CInt { entries[place].connection.connection.number }

  func isReady(_ place: Int) -> Bool { ready & bit(place) != 0 }

  /// Notes that a header has begun.
  mutating func setBegun(_ place: Int) {
    begun |= bit(place)
    if entries[place].silenceDeadline < .never { findDue() }
  }

  /// Notes that a header is complete.
  ///
  /// - Parameter deadline: until when its client may wait for a place in the service.
  mutating func setReady(_ place: Int, until deadline: Deadline) {
    begun |= bit(place)
    ready |= bit(place)
    entries[place].deadline = deadline
    findDue()
  }

  /// The connection that has waited longest of those whose headers are complete.
  var firstReady: Int? { first(of: ready) }

  /// The connection to give up for a new one: of those without a complete header, the one that has waited longest.
  var nextToClose: Int? { first(of: taken & ~ready) ?? firstReady }

  /// A connection whose time is up.
  func late(_ now: Deadline) -> Int? {
    due > now ? nil : Places(taken).first { self.deadline(of: $0) <= now }
  }

  /// Lets none wait any longer than this from now on, with or without a header.
  mutating func limit(to patience: Patience, now: Deadline) {
    for place in Places(taken) { limit(place, to: patience, now: now) }
  }

  /// Lets a connection wait no longer than this from now on.
  mutating func limit(_ place: Int, to patience: Patience, now: Deadline) {
    let limit = now.advanced(by: isReady(place) ? patience.place : patience.header)
    entries[place].deadline = min(entries[place].deadline, limit)
    entries[place].silenceDeadline = min(entries[place].silenceDeadline, now.advanced(by: patience.firstByte))
    findDue()
  }

  private func deadline(of place: Int) -> Deadline {
    begun & bit(place) != 0 ? entries[place].deadline : min(entries[place].deadline, entries[place].silenceDeadline)
  }

  private func bit(_ place: Int) -> UInt64 { 1 << UInt64(place) }

  private func first(of places: UInt64) -> Int? { Places(places).min { entries[$0].order < entries[$1].order } }

  private mutating func findDue() {
    due = Places(taken).reduce(.never) { min($0, deadline(of: $1)) }
  }

  /// The numbers of the bits of a word that are set.
  struct Places: Sequence, IteratorProtocol {
    private var rest: UInt64

    init(_ places: UInt64) { rest = places }

    mutating func next() -> Int? {
      guard rest != 0 else { return nil }
      defer { rest &= rest - 1 }
      return rest.trailingZeroBitCount
    }
  }
}
