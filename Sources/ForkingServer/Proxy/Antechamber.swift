@_spi(Begat) import UnixCore

/// Proxied connections that wait for a complete header: at most 64, for a short time, without a process or a place in
/// the service.
///
/// The memory is not copied by forks; without proxies none is allocated.
struct Antechamber: ~Copyable {
  /// The maximal number of connections that wait: a bit of a word for each.
  static let capacity = 64
  /// The limit once the listener stops: no more than for the end of handshakes, as a successor waits for the listener.
  static let patienceAtStop: Duration = .seconds(1)

  private struct Entry: ~Copyable {
    let connection: AcceptedClient
    var deadline: Deadline
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
    let memory = try MemoryMapping.shared(size: size, isInherited: false)
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
    taken |= 1 << UInt64(place)
    due = min(due, deadline)
    return place
  }

  /// Removes a connection and returns it.
  mutating func take(_ place: Int) -> AcceptedClient {
    precondition(taken & 1 << UInt64(place) != 0)
    taken &= ~(1 << UInt64(place))
    ready &= ~(1 << UInt64(place))
    let entry = (entries + place).move()
    findDue()
    return entry.connection
  }

  /// The number of a connection's descriptor.
  func number(_ place: Int) -> CInt { entries[place].connection.connection.number }

  /// Notes that a header is complete.
  ///
  /// - Parameter deadline: until when its client may wait for a place in the service.
  mutating func setReady(_ place: Int, until deadline: Deadline) {
    ready |= 1 << UInt64(place)
    entries[place].deadline = deadline
    findDue()
  }

  /// The connection that has waited longest of those whose headers are complete.
  var firstReady: Int? { first(of: ready) }

  /// The connection to give up for a new one: of those without a complete header, the one that has waited longest.
  var firstToLeave: Int? { first(of: taken & ~ready) ?? firstReady }

  /// A connection whose time is up.
  func late(_ now: Deadline) -> Int? {
    due > now ? nil : Places(taken).first { entries[$0].deadline <= now }
  }

  /// Shortens every wait to this deadline.
  mutating func limit(to deadline: Deadline) {
    for place in Places(taken) { entries[place].deadline = min(entries[place].deadline, deadline) }
    findDue()
  }

  private func first(of places: UInt64) -> Int? { Places(places).min { entries[$0].order < entries[$1].order } }

  private mutating func findDue() {
    due = Places(taken).reduce(.never) { min($0, entries[$1].deadline) }
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
