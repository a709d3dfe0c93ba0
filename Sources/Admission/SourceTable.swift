import CSharedLayouts
@_spi(Begat) import UnixCore

/// Finds the sources of an admission book and forgets those of which nothing is left to remember.
///
/// A source without connections whose bucket is full is forgotten.  When the book is full, the source that would be
/// forgotten soonest makes room: no client is refused because of other sources.
///
/// The sources lie in the book; chains and heap lie in memory of this process alone.  One listener at a time adds and
/// forgets sources; the others only take back connections of their own columns.
struct SourceTable {
  /// A source's number in the book, as long as it has connections.
  typealias Number = UInt32

  private struct Header {
    var count: UInt32 = 0
    /// The first free source, numbered as in `Row.next`.
    var firstFree: UInt32 = 0
    /// As in the book, which a process of an earlier generation could spoil.
    var untouched: UInt32 = 0
  }

  /// A place of the heap and the links of a source, which have nothing to do with each other: with few sources, both are
  /// in the same page.
  private struct Row {
    /// For the heap's place with this number: which source is there, and when it may be forgotten.
    var time = Deadline.immediate
    var number: Number = 0
    /// For the source with this number: the next one in the same chain, or the next free one; none is 0, the others one
    /// more than their number.
    var next: UInt32 = 0
    /// For the source with this number: its place in the heap, and its chain.
    var place: UInt32 = 0
    var chain: UInt32 = 0
  }

  /// Where the sources lie.
  let book: BookPart
  /// Guards table and book where other processes of this listener admit clients too; nil where none does.
  var lock: AdmissionLock?
  /// Whether a process has died while it changed counts, which are not made anew yet.
  var isMiscounted = false
  private let header: UnsafeMutablePointer<Header>
  /// Sources by the time when they may be forgotten, the soonest first: a binary heap.
  private let rows: UnsafeMutablePointer<Row>
  /// The first source of each chain, as `Row.next`.
  private let chains: UnsafeMutableBufferPointer<UInt32>

  /// The size in bytes of chains and heap for so many sources.
  static func size(capacity: Int) -> Int {
    headerSize + capacity * MemoryLayout<Row>.stride + chainCount(capacity) * MemoryLayout<UInt32>.stride
  }

  private static let headerSize = 64

  private static func chainCount(_ capacity: Int) -> Int {
    var count = 16
    while count < capacity { count *= 2 }
    return count
  }

  /// - Parameter memory: `size(capacity:)` bytes, zeroed before their first use.
  init(of book: BookPart, memory: UnsafeMutableRawBufferPointer) {
    self.book = book
    let start = memory.baseAddress!
    header = start.bindMemory(to: Header.self, capacity: 1)
    rows = (start + SourceTable.headerSize).bindMemory(to: Row.self, capacity: book.capacity)
    let rest = memory[(SourceTable.headerSize + book.capacity * MemoryLayout<Row>.stride)...]
    chains = UnsafeMutableRawBufferPointer(rebasing: rest).bindMemory(to: UInt32.self)
  }

  var count: Int { Int(header.pointee.count) }

  // MARK: - Sources

  /// The number of a source, a new one if it is not in the book.
  func find(_ source: Source, now: Deadline) -> Number {
    let chain = chain(of: source)
    var next = chains[chain]
    while next != 0 {
      let number = next - 1
      let entry = book.sources + Int(number)
      if entry.pointee.high == source.high, entry.pointee.low == source.low { return number }
      next = rows[Int(number)].next
    }
    forgetIdle(now: now)
    return add(source)
  }

  /// Whether the source of a number is in the book: looks at all that `find` looks at, and changes nothing.
  ///
  /// Without the lock the answer may be wrong, but it comes: no chain is longer than the table, unless it changes.
  func contains(_ number: Number) -> Bool {
    guard number < header.pointee.untouched else { return false }
    let entry = book.sources + Int(number)
    var next = chains[chain(of: Source(high: entry.pointee.high, low: entry.pointee.low))]
    var left = count
    while left > 0, next != 0, next != number + 1 {
      next = rows[Int(next - 1)].next
      left -= 1
    }
    return next == number + 1
  }

  /// Notes a new connection of a source.
  func begin(_ number: Number, fullAt: Deadline) {
    // In this order: a listener that is killed in between has taken the token.
    book.sources[Int(number)].full_at = fullAt.instant
    book.begin(number)
    moveInHeap(number, until: .never)
  }

  /// Notes that a connection has ended; nothing where this generation has none of the source.
  func end(_ number: Number) {
    if book.end(number) { moveInHeap(number, until: forgetTime(number)) }
  }

  /// Notes an event that leaves nothing open, such as a datagram.
  func touch(_ number: Number, fullAt: Deadline) {
    book.sources[Int(number)].full_at = fullAt.instant
    moveInHeap(number, until: forgetTime(number))
  }

  /// Denies a source until then; its refusals are settled by that.
  func deny(_ number: Number, until time: Deadline) {
    book.sources[Int(number)].denied_until = time.instant
    noteRefused(number, forgivenAt: .immediate)
  }

  /// Notes when the refusals of a source, with one more, count no longer.
  func noteRefused(_ number: Number, forgivenAt time: Deadline) {
    book.sources[Int(number)].forgiven_at = time.instant
    moveInHeap(number, until: forgetTime(number))
  }

  /// When nothing is left to remember of the source: never while it has connections.
  private func forgetTime(_ number: Number) -> Deadline {
    if book.active(number) > 0 { return .never }
    return max(book.fullAt(number), max(book.deniedUntil(number), book.forgivenAt(number)))
  }

  private func chain(of source: Source) -> Int {
    // Seeded anew in each listener: no client can choose addresses that share a chain.
    var hasher = Hasher()
    hasher.combine(source.high)
    hasher.combine(source.low)
    return hasher.finalize() & (chains.count - 1)
  }

  private func add(_ source: Source) -> Number {
    if header.pointee.firstFree == 0, header.pointee.untouched == book.capacity { makeRoom() }
    let number: Number
    if header.pointee.firstFree != 0 {
      number = header.pointee.firstFree - 1
      header.pointee.firstFree = rows[Int(number)].next
    } else {
      number = header.pointee.untouched
      header.pointee.untouched += 1
      book.untouched = Int(header.pointee.untouched)
    }
    book.sources[Int(number)] = begat_source(
      high: source.high, low: source.low, full_at: 0, denied_until: 0, forgiven_at: 0, active: (0, 0, 0, 0))
    link(number, in: chain(of: source))
    let place = header.pointee.count
    header.pointee.count += 1
    rows[Int(number)].place = place
    moveInHeap(number, until: .immediate)
    return number
  }

  private func link(_ number: Number, in chain: Int) {
    rows[Int(number)].chain = UInt32(chain)
    rows[Int(number)].next = chains[chain]
    chains[chain] = number + 1
  }

  /// Two for each new one: the table shrinks faster than it grows.
  private func forgetIdle(now: Deadline) {
    for _ in 0..<2 {
      guard header.pointee.count > 0, rows[0].time <= now else { return }
      forget(rows[0].number)
    }
  }

  private func makeRoom() {
    // The connections of earlier generations end without a word: their sources may have become idle.
    if rows[0].time == .never { refreshTimes() }
    forget(rows[0].number)
  }

  private func forget(_ number: Number) {
    unlink(number)
    header.pointee.count -= 1
    let last = rows[Int(header.pointee.count)].number
    if last != number {
      rows[Int(last)].place = rows[Int(number)].place
      moveInHeap(last, until: rows[Int(header.pointee.count)].time)
    }
    free(number)
  }

  private func free(_ number: Number) {
    book.sources[Int(number)] = begat_source()
    rows[Int(number)].next = header.pointee.firstFree
    header.pointee.firstFree = number + 1
  }

  private func unlink(_ number: Number) {
    let chain = Int(rows[Int(number)].chain)
    if chains[chain] == number + 1 {
      chains[chain] = rows[Int(number)].next
      return
    }
    var next = chains[chain]
    while next != 0 {
      let before = Int(next - 1)
      next = rows[before].next
      if next == number + 1 {
        rows[before].next = rows[Int(number)].next
        return
      }
    }
  }

  // MARK: - Heap

  private func put(_ number: Number, _ time: Deadline, at place: Int) {
    rows[place].time = time
    rows[place].number = number
    rows[Int(number)].place = UInt32(place)
  }

  /// Brings a source whose time has changed to its place.
  private func moveInHeap(_ number: Number, until time: Deadline) {
    var place = Int(rows[Int(number)].place)
    while place > 0 {
      let parent = (place - 1) / 2
      guard rows[parent].time > time else { break }
      put(rows[parent].number, rows[parent].time, at: place)
      place = parent
    }
    sink(number, time, from: place)
  }

  private func sink(_ number: Number, _ time: Deadline, from start: Int) {
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < count else { break }
      if child + 1 < count, rows[child + 1].time < rows[child].time { child += 1 }
      guard rows[child].time < time else { break }
      put(rows[child].number, rows[child].time, at: place)
      place = child
    }
    put(number, time, at: place)
  }

  /// Orders the heap by what the sources are now, after connections of other generations have ended.
  func refreshTimes() {
    for place in 0..<count { rows[place].time = forgetTime(rows[place].number) }
    for place in (0..<count / 2).reversed() { sink(rows[place].number, rows[place].time, from: place) }
  }

  /// Builds chains and heap anew from the book, of which nothing is believed but what a source is.
  ///
  /// - Parameter adopt: changes a source to what the present limits make of it.  It must leave `active` alone, which other
  ///   generations write.
  func rebuild(now: Deadline, adopt: (UnsafeMutablePointer<begat_source>) -> Void) {
    if count > 0 { chains.update(repeating: 0) }
    header.pointee = Header(untouched: UInt32(book.untouched))
    // Downwards, so that the lowest free numbers are used first: they share pages.
    for number in (0..<header.pointee.untouched).reversed() {
      let entry = book.sources + Int(number)
      adopt(entry)
      guard forgetTime(number) > now else {
        free(number)
        continue
      }
      link(number, in: chain(of: Source(high: entry.pointee.high, low: entry.pointee.low)))
      rows[count].number = number
      rows[Int(number)].place = header.pointee.count
      header.pointee.count += 1
    }
    refreshTimes()
  }
}
