import UnixIPC

/// What is remembered of each source, in memory of a fixed size: how many connections it has, and when its bucket of
/// tokens is full again.
///
/// A source without connections whose bucket is full is forgotten.  When the table is full, the one that would be
/// forgotten soonest makes room: nobody is turned away because of others.
///
/// One process at a time may use it.
struct SourceTable {
  /// A source's number in the table, as long as it has connections.
  typealias Number = UInt32

  private struct Entry {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var fullAt = Deadline(instant: 0)
    var active: UInt32 = 0
    /// The next entry of the same chain, or the next free one; none is 0, the others one more than their number.
    var next: UInt32 = 0
    var heapPlace: UInt32 = 0
  }

  private struct Header {
    var count: UInt32 = 0
    /// As `Entry.next`.
    var firstFree: UInt32 = 0
    /// Entries from here on were never used.
    var untouched: UInt32 = 0
  }

  private let header: UnsafeMutablePointer<Header>
  private let entries: UnsafeMutableBufferPointer<Entry>
  /// The first entry of each chain, as `Entry.next`.
  private let chains: UnsafeMutableBufferPointer<UInt32>
  /// Entries by the time when they may be forgotten, the soonest first: a binary heap.
  private let heap: UnsafeMutableBufferPointer<Number>
  let capacity: Int

  /// The size in bytes for so many sources.
  static func size(capacity: Int) -> Int {
    headerSize + capacity * (MemoryLayout<Entry>.stride + MemoryLayout<Number>.stride)
      + chainCount(capacity) * MemoryLayout<UInt32>.stride
  }

  private static let headerSize = 64

  private static func chainCount(_ capacity: Int) -> Int {
    var count = 16
    while count < capacity { count *= 2 }
    return count
  }

  /// - Parameter memory: `size(capacity:)` bytes, zeroed before their first use.
  init(memory: UnsafeMutableRawBufferPointer, capacity: Int) {
    self.capacity = capacity
    var rest = memory[...]
    func take<Element>(_ count: Int, _ type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
      let part = rest.prefix(count * MemoryLayout<Element>.stride)
      rest = rest.dropFirst(part.count)
      return UnsafeMutableRawBufferPointer(rebasing: part).bindMemory(to: type)
    }
    header = take(1, Header.self).baseAddress!
    rest = memory[SourceTable.headerSize...]
    entries = take(capacity, Entry.self)
    heap = take(capacity, Number.self)
    chains = take(SourceTable.chainCount(capacity), UInt32.self)
  }

  var count: Int { Int(header.pointee.count) }

  // MARK: - Sources

  func active(_ number: Number) -> Int { Int(entries[Int(number)].active) }
  func fullAt(_ number: Number) -> Deadline { entries[Int(number)].fullAt }

  /// The entry of a source, a new one where it has none.
  func find(_ source: Source, now: Deadline) -> Number {
    let chain = chain(of: source)
    var next = chains[chain]
    while next != 0 {
      let number = next - 1
      let entry = entries[Int(number)]
      if entry.high == source.high, entry.low == source.low { return number }
      next = entry.next
    }
    forgetIdle(now: now)
    return add(source)
  }

  /// Notes a new connection of a source.
  func begin(_ number: Number, fullAt: Deadline) {
    entries[Int(number)].active += 1
    entries[Int(number)].fullAt = fullAt
    moveInHeap(number)
  }

  /// Notes that a connection has ended; false where the source has none.
  @discardableResult
  func end(_ number: Number) -> Bool {
    guard entries[Int(number)].active > 0 else { return false }
    entries[Int(number)].active -= 1
    moveInHeap(number)
    return true
  }

  /// Notes an event that leaves nothing open, such as a datagram.
  func touch(_ number: Number, fullAt: Deadline) {
    entries[Int(number)].fullAt = fullAt
    moveInHeap(number)
  }

  /// When nothing is left to remember of the source: never while it has connections.
  private func forgetTime(_ number: Number) -> Deadline {
    let entry = entries[Int(number)]
    return entry.active > 0 ? .never : entry.fullAt
  }

  private func chain(of source: Source) -> Int {
    // Seeded anew in each listener: nobody outside can choose addresses that share a chain.
    var hasher = Hasher()
    hasher.combine(source.high)
    hasher.combine(source.low)
    return hasher.finalize() & (chains.count - 1)
  }

  private func add(_ source: Source) -> Number {
    if header.pointee.firstFree == 0, header.pointee.untouched == UInt32(capacity) { forget(heap[0]) }
    let number: Number
    if header.pointee.firstFree != 0 {
      number = header.pointee.firstFree - 1
      header.pointee.firstFree = entries[Int(number)].next
    } else {
      number = header.pointee.untouched
      header.pointee.untouched += 1
    }
    let chain = chain(of: source)
    entries[Int(number)] = Entry(high: source.high, low: source.low, next: chains[chain])
    chains[chain] = number + 1
    let place = header.pointee.count
    header.pointee.count += 1
    put(number, at: Int(place))
    moveInHeap(number)
    return number
  }

  /// Two for each new one: the table shrinks faster than it grows.
  private func forgetIdle(now: Deadline) {
    for _ in 0..<2 {
      guard header.pointee.count > 0, forgetTime(heap[0]) <= now else { return }
      forget(heap[0])
    }
  }

  private func forget(_ number: Number) {
    let entry = entries[Int(number)]
    unlink(number, from: chain(of: Source(high: entry.high, low: entry.low)))
    header.pointee.count -= 1
    let last = heap[Int(header.pointee.count)]
    if last != number {
      put(last, at: Int(entry.heapPlace))
      moveInHeap(last)
    }
    entries[Int(number)] = Entry(next: header.pointee.firstFree)
    header.pointee.firstFree = number + 1
  }

  private func unlink(_ number: Number, from chain: Int) {
    if chains[chain] == number + 1 {
      chains[chain] = entries[Int(number)].next
      return
    }
    var next = chains[chain]
    while next != 0 {
      let before = Int(next - 1)
      next = entries[before].next
      if next == number + 1 {
        entries[before].next = entries[Int(number)].next
        return
      }
    }
  }

  // MARK: - Heap

  private func put(_ number: Number, at place: Int) {
    heap[place] = number
    entries[Int(number)].heapPlace = UInt32(place)
  }

  /// Brings an entry whose time has changed to its place.
  private func moveInHeap(_ number: Number) {
    let time = forgetTime(number)
    var place = Int(entries[Int(number)].heapPlace)
    while place > 0 {
      let parent = (place - 1) / 2
      guard forgetTime(heap[parent]) > time else { break }
      put(heap[parent], at: place)
      place = parent
    }
    while true {
      var child = 2 * place + 1
      guard child < count else { break }
      if child + 1 < count, forgetTime(heap[child + 1]) < forgetTime(heap[child]) { child += 1 }
      guard forgetTime(heap[child]) < time else { break }
      put(heap[child], at: place)
      place = child
    }
    put(number, at: place)
  }
}
