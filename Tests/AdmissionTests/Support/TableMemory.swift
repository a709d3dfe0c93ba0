import CSharedLayouts
import Testing

@testable import Admission

/// A part of a book in memory, which several tables may continue one after the other.
final class PartMemory {
  let bytes: UnsafeMutableRawBufferPointer

  init(capacity: Int) {
    bytes = .allocate(byteCount: BookPart.size(capacity: capacity), alignment: 64)
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    BookPart.begin(at: bytes.baseAddress!)
  }

  deinit { bytes.deallocate() }

  var header: UnsafeMutablePointer<begat_book> { bytes.baseAddress!.assumingMemoryBound(to: begat_book.self) }
  var sources: UnsafeMutablePointer<begat_source> {
    (bytes.baseAddress! + Int(BEGAT_BOOK_HEADER_SIZE)).assumingMemoryBound(to: begat_source.self)
  }
}

/// A table's memory as it lies there, looked at without the table's own code.
struct TableMemory: ~Copyable {
  struct Row {
    var time: Int64
    var number: UInt32
    var next: UInt32
    var place: UInt32
    var chain: UInt32
  }

  let part: PartMemory
  let bytes: UnsafeMutableRawBufferPointer
  let table: SourceTable
  private let capacity: Int

  init(capacity: Int) throws { try self.init(continuing: PartMemory(capacity: capacity), column: 0) }

  /// The table of a successor.
  init(continuing part: PartMemory, column: Int) throws {
    let book = try #require(BookPart(in: part.bytes, column: column))
    bytes = .allocate(byteCount: SourceTable.size(capacity: book.capacity), alignment: 64)
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    table = SourceTable(of: book, memory: bytes)
    self.part = part
    capacity = book.capacity
  }

  deinit { bytes.deallocate() }

  var sources: UnsafeMutablePointer<begat_source> { part.sources }
  private var header: UnsafeMutableBufferPointer<UInt32> { section(0, 3) }
  private var rows: UnsafeMutableBufferPointer<Row> { section(64, capacity) }
  private var chains: UnsafeMutableBufferPointer<UInt32> {
    section(64 + capacity * 24, (bytes.count - 64 - capacity * 24) / 4)
  }

  private func section<Element>(_ offset: Int, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(
      start: (bytes.baseAddress! + offset).assumingMemoryBound(to: Element.self), count: count)
  }

  /// Numbers of the entries that remember a source.
  var used: Set<Int> { Set(rows.prefix(Int(header[0])).map { Int($0.number) }) }

  /// Connections of a source, in all columns.
  func active(_ number: Int) -> Int { Int(begat_sum(begat_source_active(sources + number))) }

  /// When a source may be forgotten.
  func time(_ number: Int) -> Int64 { active(number) > 0 ? .max : sources[number].full_at }

  /// The defect of chains, heap or free entries; nil if there is none.
  ///
  /// - Parameter isCurrent: whether the heap knows every end of a connection; those of other generations come late.
  func fault(isCurrent: Bool = true) -> String? {
    let count = Int(header[0])
    let untouched = Int(header[2])
    guard part.header.pointee.untouched == header[2] else { return "the book does not know of \(untouched) entries" }
    let used = used
    var inChains = 0
    for first in chains {
      var next = first
      while next != 0 {
        guard used.contains(Int(next - 1)) else { return "a chain leads to \(next)" }
        inChains += 1
        guard inChains <= count else { return "chains have more than \(count) entries" }
        next = rows[Int(next - 1)].next
      }
    }
    guard inChains == count else { return "\(inChains) in chains, \(count) counted" }
    for place in 0..<count {
      let number = Int(rows[place].number)
      guard number < untouched else { return "untouched entry \(number) in the heap" }
      guard rows[number].place == place else { return "entry \(number) is not where it says" }
      if place > 0, rows[(place - 1) / 2].time > rows[place].time { return "the heap is out of order at \(place)" }
      let time = time(number)
      guard rows[place].time == time || !isCurrent && rows[place].time == .max else {
        return "entry \(number) has \(rows[place].time), not \(time)"
      }
    }
    var free = 0
    var next = header[1]
    while next != 0 {
      guard next <= untouched, !used.contains(Int(next - 1)) else { return "used entry \(next - 1) among the free" }
      free += 1
      guard free <= capacity else { return "the free entries are a ring" }
      next = rows[Int(next - 1)].next
    }
    guard used.count == count else { return "wrong count \(count)" }
    return count + free + capacity - untouched == capacity ? nil : "\(count) used, \(free) free, \(untouched) touched"
  }
}
