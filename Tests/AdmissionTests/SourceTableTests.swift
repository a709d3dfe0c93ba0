import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

@Suite(.timeLimit(.minutes(30))) struct SourceTableTests {
  @Test("takes up what it says")
  func takesUp() {
    #expect(MemoryLayout<TableMemory.Row>.stride == 24)
    #expect(BookPart.size(capacity: 2) == 128 + 2 * 56 && BookPart.size(capacity: 1000) == 128 + 1000 * 56)
    #expect(SourceTable.size(capacity: 2) == 64 + 2 * 24 + 16 * 4)
    #expect(SourceTable.size(capacity: 1000) == 64 + 1000 * 24 + 1024 * 4)
    #expect(SourceTable.size(capacity: 1025) == 64 + 1025 * 24 + 2048 * 4)
    // A service's own.
    let capacity = Admission.sourceCapacity
    #expect(BookPart.size(capacity: capacity) + SourceTable.size(capacity: capacity) < 6 << 20)
  }

  @Test("finds a source again and forgets it when nothing is left to remember")
  func forgets() throws {
    let memory = try TableMemory(capacity: 10)
    let table = memory.table
    let first = table.find(1, now: 100)
    #expect(table.active(first) == 0 && table.fullAt(first) == 0 && table.count == 1)
    table.begin(first, fullAt: 500)
    #expect(table.find(1, now: 100) == first && table.active(first) == 1 && table.fullAt(first) == 500)
    let second = table.find(2, now: 200)
    table.touch(second, fullAt: 300)
    #expect(table.count == 2 && first != second)
    // A busy one stays whatever the time; a full bucket without connections goes.
    let third = table.find(3, now: 1000)
    #expect(table.count == 2 && table.active(first) == 1)
    table.touch(third, fullAt: 2000)
    table.end(first)
    #expect(table.find(1, now: 1000) == first && table.fullAt(first) == 500)
    // One that is not yet full stays.
    _ = table.find(4, now: 1999)
    #expect(table.count == 2 && table.find(3, now: 1999) == third && table.fullAt(third) == 2000)
    #expect(memory.fault() == nil)
  }

  @Test("forgets one whose bucket is full at this very moment, not one nanosecond before")
  func forgetsInTime() throws {
    for (now, count) in [(99, 2), (100, 1)] as [(Int64, Int)] {
      let memory = try TableMemory(capacity: 10)
      memory.table.touch(memory.table.find(1, now: 0), fullAt: 100)
      _ = memory.table.find(2, now: now)
      #expect(memory.table.count == count)
    }
  }

  @Test("drops the soonest forgotten when it is full, never one with connections")
  func dropsTheSoonest() throws {
    let memory = try TableMemory(capacity: 5)
    let table = memory.table
    for source: UInt64 in 1...5 { table.touch(table.find(source, now: 0), fullAt: 1000 - Int64(source)) }
    // The soonest are 5 and 4, but 5 has a connection.
    let busy = table.find(5, now: 0)
    table.begin(busy, fullAt: 995)
    let added = table.find(6, now: 0)
    table.touch(added, fullAt: 2000)
    #expect(table.count == 5 && table.active(busy) == 1)
    let sources = Set(memory.used.map { memory.sources[$0].high })
    #expect(sources == [1, 2, 3, 5, 6])
    #expect(memory.fault() == nil)
  }

  @Test("takes no end for a beginning")
  func endsNothing() throws {
    let memory = try TableMemory(capacity: 5)
    let number = memory.table.find(1, now: 0)
    memory.table.end(number)
    #expect(memory.table.active(number) == 0 && memory.fault() == nil)
  }

  @Test("forgets a source whose last connection another generation has ended, when there is need or it is told")
  func forgetsWhatOthersEnded() throws {
    for (isTold, survivor) in [(false, 0), (false, 1), (false, 2), (true, 0)] {
      let part = PartMemory(capacity: 4)
      let old = try TableMemory(continuing: part, column: 0)
      let numbers = (1...3 as ClosedRange<UInt64>).map { source in
        let number = old.table.find(source, now: 0)
        old.table.begin(number, fullAt: 100)
        return number
      }
      let new = try TableMemory(continuing: part, column: 1)
      new.table.rebuild(now: 200) { _ in }
      #expect(new.table.count == 3 && new.fault() == nil)
      new.table.begin(new.table.find(4, now: 200), fullAt: 1000)
      let busy = numbers[survivor]
      for number in numbers where number != busy { old.table.end(number) }
      if isTold { new.table.refreshTimes() }
      #expect(new.fault(isCurrent: isTold) == nil)
      // Two are forgotten where it is known; otherwise one makes room, and it is not the one with a connection.
      _ = new.table.find(5, now: 200)
      #expect(new.table.count == (isTold ? 3 : 4))
      #expect(new.used.contains(Int(busy)) && new.table.active(busy) == 1)
      old.table.end(busy)
      new.table.refreshTimes()
      for source in 6...9 as ClosedRange<UInt64> { _ = new.table.find(source, now: 1000) }
      #expect(new.fault() == nil && new.table.count <= 2)
    }
  }

  @Test("builds the same anew from the book, without what is idle")
  func rebuilds() throws {
    let part = PartMemory(capacity: 300)
    var random = SeededRandom(state: 5)
    for round in 0..<50 as Range<Int64> {
      let memory = try TableMemory(continuing: part, column: 0)
      let now = 100 * round
      memory.table.rebuild(now: now) { _ in }
      try #require(memory.fault() == nil)
      #expect(memory.used.allSatisfy { memory.time($0) > now })
      for _ in 0..<100 {
        let number = memory.table.find(UInt64.random(in: 0..<400, using: &random), now: now)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: memory.table.begin(number, fullAt: now + 1)
        case 1, 2: memory.table.end(number)
        default: memory.table.touch(number, fullAt: now + Int64.random(in: 0...500, using: &random))
        }
      }
      try #require(memory.fault() == nil)
      // A second time, in a table that is in use.
      memory.table.rebuild(now: now) { _ in }
      try #require(memory.fault() == nil)
    }
  }

  @Test("counts as a dictionary does, whatever happens", arguments: [2, 3, 5, 16, 300])
  func countsAsADictionary(capacity: Int) throws {
    let memory = try TableMemory(capacity: capacity)
    var model = Model(capacity: capacity, seed: UInt64(capacity))
    for step in 0..<(capacity < 300 ? 30_000 : 10_000) {
      try #require(try model.step(memory) == nil, "step \(step)")
      if capacity < 4 || step % 32 == 0 { try #require(model.fault(memory) == nil, "step \(step)") }
    }
    // All of it was tried.
    #expect(model.idle > 100 && model.dropped > 100 && model.ends > 1000)
  }
}

/// The same as a table, in the plainest way.
private struct Model {
  struct Entry {
    var number: SourceTable.Number
    var active = 0
    var fullAt: Int64 = 0

    var time: Int64 { active > 0 ? .max : fullAt }
  }

  let capacity: Int
  private var random: SeededRandom
  private var entries: [UInt64: Entry] = [:]
  private var now: Int64 = 0
  /// How often what happened.
  private(set) var idle = 0
  private(set) var dropped = 0
  private(set) var ends = 0

  init(capacity: Int, seed: UInt64) {
    self.capacity = capacity
    random = SeededRandom(state: seed)
  }

  var active: Int { entries.values.reduce(0) { $0 + $1.active } }

  private mutating func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

  /// Does something to both; returns what was wrong.
  mutating func step(_ memory: borrowing TableMemory) throws -> String? {
    let table = memory.table
    now += Int64.random(in: 0...20, using: &random)
    let busy = entries.filter { $0.value.active > 0 }.keys.sorted()
    if !busy.isEmpty, chance(3) {
      let source = busy.randomElement(using: &random)!
      entries[source]!.active -= 1
      table.end(entries[source]!.number)
      ends += 1
      return check(source, table)
    }
    let source = UInt64.random(in: 0..<UInt64(capacity * 3), using: &random)
    if let fault = find(source, memory) { return fault }
    // As long as a bucket takes; some are full already.
    let fullAt = now + Int64.random(in: -20...Int64(capacity * 30), using: &random)
    // As every user of a table must, this one leaves at least one entry without connections.
    if busy.count + (entries[source]!.active > 0 ? 0 : 1) < capacity, !chance(3) {
      entries[source]!.active += 1
      entries[source]!.fullAt = fullAt
      table.begin(entries[source]!.number, fullAt: fullAt)
    } else if !chance(4) {
      entries[source]!.fullAt = fullAt
      table.touch(entries[source]!.number, fullAt: fullAt)
    }
    return check(source, table)
  }

  private mutating func find(_ source: UInt64, _ memory: borrowing TableMemory) -> String? {
    let number = memory.table.find(source, now: now)
    if let entry = entries[source] { return entry.number == number ? nil : "another number for \(source)" }
    // Which of those with the same time went is the table's affair.
    let left = Set(memory.used.map { memory.sources[$0].high })
    let gone = entries.filter { !left.contains($0.key) }
    let idleCount = min(2, entries.values.count { $0.time <= now })
    let dropCount = entries.count - idleCount == capacity ? 1 : 0
    guard gone.count == idleCount + dropCount else { return "\(gone.count) forgotten, not \(idleCount + dropCount)" }
    guard !gone.values.contains(where: { $0.active > 0 }) else { return "one with connections was forgotten" }
    for source in gone.keys { entries[source] = nil }
    if let latest = gone.values.map(\.time).max(), let soonest = entries.values.map(\.time).min(), latest > soonest {
      return "forgotten at \(latest) before \(soonest)"
    }
    guard !entries.values.contains(where: { $0.number == number }) else { return "number \(number) has another" }
    entries[source] = Entry(number: number)
    idle += idleCount
    dropped += dropCount
    return nil
  }

  private func check(_ source: UInt64, _ table: SourceTable) -> String? {
    let entry = entries[source]!
    guard table.active(entry.number) == entry.active else { return "\(source) has \(table.active(entry.number))" }
    guard table.fullAt(entry.number) == entry.fullAt else { return "\(source) is full at the wrong time" }
    return table.count == entries.count ? nil : "\(table.count) sources, not \(entries.count)"
  }

  /// All of it compared.
  func fault(_ memory: borrowing TableMemory) -> String? {
    if let fault = memory.fault() { return fault }
    for (source, entry) in entries {
      let native = memory.sources[Int(entry.number)]
      guard native.high == source, memory.active(Int(entry.number)) == entry.active, native.full_at == entry.fullAt
      else { return "\(source) is \(native)" }
      // Reached by its own chain.
      guard memory.table.find(source, now: now) == entry.number else { return "\(source) is not found" }
    }
    return memory.table.count == entries.count ? nil : "\(memory.table.count) sources, not \(entries.count)"
  }
}
