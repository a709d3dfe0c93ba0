import Admission
import ControlProtocol
@_spi(Begat) import UnixCore

/// The living connection processes of a listener, by process number.
///
/// It lies in memory that forks do not copy: a connection process can neither read nor spoil it, and the parent's
/// writes to it cost no copied page.
struct ConnectionTable: ~Copyable {
  /// What the listener knows of a connection.
  struct Entry {
    /// 0 in an empty place.
    var process: Int32 = 0
    var slot: UInt32
    /// CLOCK_MONOTONIC, nanoseconds.
    var started: Int64
    /// Of a Unix socket.
    var user: UInt32
    var peer: PeerFields
    /// Its place among those admitted; nil for a program that has the listening sockets.
    var ticket: Admission.Ticket?
    /// The socket that such a program has (`Handover.Place`).
    var place: Int32 = -1
    /// When it is to be ended, and again when it has been told so once, CLOCK_MONOTONIC nanoseconds; `max` for never.
    var deadline = Int64.max
    /// Whether its time was up.
    var isOverdue = false
    /// Whether it was told to end, for whichever reason: nothing of it is to stay.
    var isEnding = false
  }

  private let memory: MemoryMapping
  private let entries: UnsafeMutableBufferPointer<Entry>
  /// Numbers of free slots; the first `freeCount` are valid.
  private let freeSlots: UnsafeMutableBufferPointer<UInt32>
  private var freeCount: Int
  private let mask: Int

  /// - Parameter capacity: how many connections may live at once.
  init(capacity: Int) throws(SystemCallError) {
    // At most half full, so that searches stay short.
    var places = 16
    while places < 2 * capacity { places *= 2 }
    let entriesSize = places * MemoryLayout<Entry>.stride
    let memory = try MemoryMapping.shared(size: entriesSize + capacity * MemoryLayout<UInt32>.stride, isInherited: false)
    entries = UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[..<entriesSize]).bindMemory(to: Entry.self)
    freeSlots = UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[entriesSize...]).bindMemory(to: UInt32.self)
    for slot in 0..<capacity { freeSlots[slot] = UInt32(capacity - 1 - slot) }
    freeCount = capacity
    mask = places - 1
    self.memory = memory
  }

  var count: Int { freeSlots.count - freeCount }
  var isEmpty: Bool { freeCount == freeSlots.count }
  var isFull: Bool { freeCount == 0 }

  /// The slot that the next connection gets; the table must not be full.
  var nextSlot: Int { Int(freeSlots[freeCount - 1]) }

  /// Adds a connection in the slot that `nextSlot` named.
  mutating func insert(_ entry: Entry) {
    precondition(freeCount > 0 && entry.slot == freeSlots[freeCount - 1])
    freeCount -= 1
    var place = home(of: entry.process)
    while entries[place].process != 0 { place = (place + 1) & mask }
    entries[place] = entry
  }

  func contains(_ process: Int32) -> Bool { find(process) != nil }

  /// Whether the process was told to end.
  func isEnding(_ process: Int32) -> Bool { find(process).map { entries[$0].isEnding } ?? false }

  /// Takes a connection out and frees its slot; nil for a process that is none of ours.
  mutating func remove(_ process: Int32) -> Entry? {
    guard let place = find(process) else { return nil }
    let entry = entries[place]
    closeGap(at: place)
    freeSlots[freeCount] = entry.slot
    freeCount += 1
    return entry
  }

  /// Shows each connection; it may be changed but for its process and its slot.
  mutating func forEach(_ body: (inout Entry) -> Void) {
    for place in entries.indices where entries[place].process != 0 { body(&entries[place]) }
  }

  private func home(of process: Int32) -> Int { Int((UInt32(bitPattern: process) &* 2_654_435_769) >> 7) & mask }

  private func find(_ process: Int32) -> Int? {
    guard process > 0 else { return nil }
    var place = home(of: process)
    while entries[place].process != 0 {
      if entries[place].process == process { return place }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Moves later entries of the same run back, so that searches need no marks of removed ones.
  private func closeGap(at removed: Int) {
    var gap = removed
    var place = (gap + 1) & mask
    while entries[place].process != 0 {
      let distance = (place - home(of: entries[place].process)) & mask
      if distance >= (place - gap) & mask {
        entries[gap] = entries[place]
        gap = place
      }
      place = (place + 1) & mask
    }
    entries[gap].process = 0
  }
}
