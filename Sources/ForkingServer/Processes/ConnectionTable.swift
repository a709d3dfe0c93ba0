import Admission
import ControlProtocol
@_spi(Begat) import UnixCore

/// The living connection processes of a listener, by process number.
///
/// It lies in memory that forks do not copy: a connection process can neither read nor spoil it, and the parent's
/// writes to it cost no copied page.
struct ConnectionTable: ~Copyable {
  /// What the listener knows of a connection.
  struct Entry: ~Copyable {
    let process: Int32
    let slot: UInt32
    let started: Deadline
    /// The user at the other end of a Unix socket; 0 for other clients.
    var user: UInt32
    var peer: PeerFields
    /// The proxy that has named the client; no address if the client connected directly.
    var via = PeerFields(nil)
    /// Whether it is a connection without a client (LOCAL, UNKNOWN).
    var isOfProxy = false
    /// Its place among those admitted, given back with the entry; nil for a program that has the listening sockets.
    let reservation: Reservation?
    /// The socket that such a program has (`HandoverState.Place`).
    var place: Int32 = -1
    /// The number of the listening socket; -1 if that is not known.
    var socket: Int32 = -1
    /// The number of the pipe of its standard error; -1 if it uses the shared one.
    var pipe: CInt = -1
    /// When the process gets SIGTERM, and after that, when it gets SIGKILL.
    var deadline = Deadline.never
    var ending = Ending.none

    /// Whether it was told to end, for any reason: then it must leave no descendants.
    var isEnding: Bool { ending != .none }
  }

  /// Why a process was told to end.
  enum Ending: UInt8 {
    case none
    /// Its time was up.
    case overdue
    /// begatd has ordered it.
    case ordered
    /// The listener stops.
    case stopped
  }

  private let memory: MemoryMapping
  /// The process at each place; 0 at an empty one.
  private let processes: UnsafeMutableBufferPointer<Int32>
  /// The entry at each place; not initialized at an empty one.
  private let entries: UnsafeMutablePointer<Entry>
  /// Numbers of free slots; the first `freeCount` are valid.
  private let freeSlots: UnsafeMutableBufferPointer<UInt32>
  private var freeCount: Int
  /// How many slots processes have that are no connections yet.
  private var reservedCount = 0
  /// How many connections may live at the same time.
  private let limit: Int
  private let mask: Int

  /// - Parameter limit: how many connections may live at the same time.
  /// - Parameter spares: how many slots there are besides, for processes that are no connections yet.
  init(capacity limit: Int, spares: Int = 0) throws(SystemCallError) {
    self.limit = limit
    let capacity = limit + spares
    // At most half full, so that searches stay short.
    var places = 16
    while places < 2 * capacity { places *= 2 }
    let entriesSize = places * MemoryLayout<Entry>.stride
    let numbersSize = (places + capacity) * MemoryLayout<UInt32>.stride
    let memory = try MemoryMapping.private(size: entriesSize + numbersSize)
    let start = memory.unsafeBytes.baseAddress!
    entries = start.bindMemory(to: Entry.self, capacity: places)
    processes = UnsafeMutableBufferPointer(
      start: (start + entriesSize).bindMemory(to: Int32.self, capacity: places), count: places)
    let slots = start + entriesSize + places * MemoryLayout<Int32>.stride
    freeSlots = UnsafeMutableBufferPointer(
      start: slots.bindMemory(to: UInt32.self, capacity: capacity), count: capacity)
    for slot in 0..<capacity { freeSlots[slot] = UInt32(capacity - 1 - slot) }
    freeCount = capacity
    mask = places - 1
    self.memory = memory
  }

  var count: Int { freeSlots.count - freeCount - reservedCount }
  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count >= limit }

  /// The slot that the next connection gets; the table must not be full.
  var nextSlot: Int { Int(freeSlots[freeCount - 1]) }

  /// Reserves a slot for a process that is no connection yet; nil if none is free.
  mutating func reserveSlot() -> UInt32? {
    guard freeCount > 0 else { return nil }
    freeCount -= 1
    reservedCount += 1
    return freeSlots[freeCount]
  }

  /// Gives a slot back that was reserved.
  mutating func giveBack(_ slot: UInt32) {
    reservedCount -= 1
    freeSlots[freeCount] = slot
    freeCount += 1
  }

  /// Adds a connection in a slot that was reserved.
  mutating func insertReserved(_ entry: consuming Entry) {
    precondition(reservedCount > 0 && entry.process > 0)
    reservedCount -= 1
    put(entry)
  }

  /// Adds a connection in the slot that `nextSlot` named.
  mutating func insert(_ entry: consuming Entry) {
    precondition(freeCount > 0 && entry.process > 0 && entry.slot == freeSlots[freeCount - 1])
    freeCount -= 1
    put(entry)
  }

  private mutating func put(_ entry: consuming Entry) {
    var place = home(of: entry.process)
    while processes[place] != 0 { place = (place + 1) & mask }
    processes[place] = entry.process
    (entries + place).initialize(to: entry)
  }

  func contains(_ process: Int32) -> Bool { find(process) != nil }

  /// Whether the process was told to end.
  func isEnding(_ process: Int32) -> Bool { find(process).map { entries[$0].isEnding } ?? false }

  /// Takes a connection out and frees its slot; nil for a process that is not in the table.
  mutating func remove(_ process: Int32) -> Entry? {
    guard let place = find(process) else { return nil }
    let entry = (entries + place).move()
    closeGap(at: place)
    freeSlots[freeCount] = entry.slot
    freeCount += 1
    return entry
  }

  /// Shows each connection, which may be changed.
  mutating func forEach(_ body: (inout Entry) -> Void) {
    for place in processes.indices where processes[place] != 0 { body(&entries[place]) }
  }

  private func home(of process: Int32) -> Int { Int((UInt32(bitPattern: process) &* 2_654_435_769) >> 7) & mask }

  private func find(_ process: Int32) -> Int? {
    guard process > 0 else { return nil }
    var place = home(of: process)
    while processes[place] != 0 {
      if processes[place] == process { return place }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Moves later entries of the same run back, so that searches need no marks of removed ones.
  private func closeGap(at removed: Int) {
    var gap = removed
    var place = (gap + 1) & mask
    while processes[place] != 0 {
      let distance = (place - home(of: processes[place])) & mask
      if distance >= (place - gap) & mask {
        processes[gap] = processes[place]
        (entries + gap).moveInitialize(from: entries + place, count: 1)
        gap = place
      }
      place = (place + 1) & mask
    }
    processes[gap] = 0
  }
}
