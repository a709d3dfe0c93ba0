import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// A listener that is killed at any instruction of a change.
///
/// No order of its stores is presumed: each change is repeated with any choice of the words that it writes, a superset of
/// what a kill can leave.
@Suite(.timeLimit(.minutes(30))) struct KilledListenerTests {
  /// A change of the book, and the sources that it concerns.
  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let concerned: Set<UInt64>
    let body: @Sendable (SourceTable) -> Void

    init(_ name: String, _ concerned: Set<UInt64>, _ body: @escaping @Sendable (SourceTable) -> Void) {
      testDescription = name
      self.concerned = concerned
      self.body = body
    }
  }

  static let changes = [
    Change("the first connection of a source", [100, 2, 3]) { table in
      let number = table.find(100, now: 500)
      table.begin(number, fullAt: 2000)
      table.book.takePlace()
    },
    Change("another connection of a source", [1]) { table in
      table.begin(table.find(1, now: 500), fullAt: 1500)
      table.book.takePlace()
    },
    Change("the end of a connection", [1]) { table in
      table.end(table.find(1, now: 500))
      table.book.givePlaceBack()
    },
    Change("an event", [4]) { table in table.touch(table.find(4, now: 500), fullAt: 1800) },
    Change("a source in place of the soonest forgotten", [2, 100, 101]) { table in
      for source: UInt64 in [100, 101] { table.touch(table.find(source, now: 0), fullAt: 3000) }
    },
  ]

  /// Column 1 is the killed listener's, column 2 that of one that still drains.
  private func prepared() throws -> TableMemory {
    let part = PartMemory(capacity: 6)
    let draining = try TableMemory(continuing: part, column: 2)
    draining.table.begin(draining.table.find(1, now: 0), fullAt: 1000)
    draining.table.begin(draining.table.find(5, now: 0), fullAt: 900)
    draining.table.book.takePlace()
    draining.table.book.takePlace()
    let killed = try TableMemory(continuing: part, column: 1)
    killed.table.rebuild(now: 0) { _ in }
    killed.table.begin(killed.table.find(1, now: 0), fullAt: 1200)
    killed.table.book.takePlace()
    // Idle at 500, and one that is not.
    for (source, fullAt) in [(2, 400), (3, 450), (4, 700)] as [(UInt64, Int64)] {
      killed.table.touch(killed.table.find(source, now: 0), fullAt: fullAt)
    }
    killed.table.book.fullAt = Deadline(instant: 600)
    return killed
  }

  @Test("leaves nothing to repair", arguments: changes)
  func leavesNothing(change: Change) throws {
    let before = try prepared().image
    let changed = try prepared()
    change.body(changed.table)
    let after = changed.image
    let words = Image.words(of: before.count).filter { before[$0] != after[$0] }
    #expect(!words.isEmpty && words.count < 40)
    var random = SeededRandom(state: 7)
    for choice in 0..<(words.count < 11 ? 1 << words.count : 2000) {
      var left = before
      for (index, word) in words.enumerated() {
        let isWritten = words.count < 11 ? choice & 1 << index != 0 : Bool.random(using: &random)
        if isWritten { left.replaceSubrange(word, with: after[word]) }
      }
      try #require(try fault(left, change.concerned) == nil, "choice \(choice) of \(words.count) words")
    }
  }

  /// The errors that a successor finds in the memory that is left.
  private func fault(_ left: [UInt8], _ concerned: Set<UInt64>) throws -> String? {
    let part = PartMemory(capacity: 6)
    part.bytes.copyBytes(from: left)
    let successor = try TableMemory(continuing: part, column: 3)
    successor.table.book.clear(AdmissionColumns(1))
    successor.table.rebuild(now: 300) { _ in }
    if let fault = successor.fault() { return fault }
    guard successor.table.book.active == 2 else { return "\(successor.table.book.active) places are taken" }
    let fullAt: [UInt64: Int64] = [1: 1200, 2: 400, 3: 450, 4: 700, 5: 900]
    for source in 1...5 as ClosedRange<UInt64> {
      let isBusy = source == 1 || source == 5
      guard let number = successor.used.first(where: { part.sources[$0].high == source }) else {
        if concerned.contains(source), !isBusy { continue }
        return "source \(source) is forgotten"
      }
      guard successor.active(number) == (isBusy ? 1 : 0) else { return "source \(source) has other connections" }
      let found = part.sources[number].full_at
      guard concerned.contains(source) || found == fullAt[source] else { return "source \(source) is full at \(found)" }
      // A source keeps or loses tokens, but never gets any.
      if isBusy, found < fullAt[source]! { return "source \(source) has got tokens" }
    }
    // It goes on as after any other beginning.
    for source in 200...300 as ClosedRange<UInt64> {
      successor.table.touch(successor.table.find(source, now: 5000), fullAt: 6000)
      if let fault = successor.fault() { return fault }
    }
    return nil
  }
}

/// A part of a book as bytes.
private enum Image {
  /// The bytes of one store, which is written whole or not at all.
  static func words(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: size, by: 8).flatMap { offset -> [Range<Int>] in
      let header = Int(BEGAT_BOOK_HEADER_SIZE)
      let inStructure = offset < header ? offset - 16 : (offset - header) % BookPart.sourceSize
      let isLong = offset < header ? inStructure == 0 : inStructure < 40
      return isLong ? [offset..<offset + 8] : [offset..<offset + 4, offset + 4..<offset + 8]
    }
  }
}

extension TableMemory {
  fileprivate var image: [UInt8] { Array(part.bytes) }
}
