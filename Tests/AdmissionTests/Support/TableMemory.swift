import Testing

@testable import Admission

/// A table's memory as it lies there, looked at without the table's own code.
struct TableMemory: ~Copyable {
  struct Entry {
    var high: UInt64
    var low: UInt64
    var fullAt: Int64
    var active: UInt32
    var next: UInt32
    var heapPlace: UInt32
  }

  let bytes: UnsafeMutableRawBufferPointer
  let table: SourceTable
  private let capacity: Int

  init(capacity: Int) {
    bytes = .allocate(byteCount: SourceTable.size(capacity: capacity), alignment: 64)
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    table = SourceTable(memory: bytes, capacity: capacity)
    self.capacity = capacity
  }

  deinit { bytes.deallocate() }

  var header: UnsafeMutableBufferPointer<UInt32> { part(0, 3) }
  var entries: UnsafeMutableBufferPointer<Entry> { part(64, capacity) }
  var heap: UnsafeMutableBufferPointer<UInt32> { part(64 + capacity * 40, capacity) }
  var chains: UnsafeMutableBufferPointer<UInt32> { part(64 + capacity * 44, (bytes.count - 64 - capacity * 44) / 4) }

  private func part<Element>(_ offset: Int, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(
      start: (bytes.baseAddress! + offset).assumingMemoryBound(to: Element.self), count: count)
  }

  /// Numbers of the entries that remember a source.
  var used: Set<Int> { Set(heap.prefix(Int(header[0])).map(Int.init)) }

  /// When a source may be forgotten.
  func time(_ number: Int) -> Int64 { entries[number].active > 0 ? .max : entries[number].fullAt }

  /// What is wrong with chains, heap and free entries; nil when nothing is.
  func fault() -> String? {
    let count = Int(header[0])
    let untouched = Int(header[2])
    let used = used
    var inChains = 0
    for first in chains {
      var next = first
      while next != 0 {
        guard used.contains(Int(next - 1)) else { return "a chain leads to \(next)" }
        inChains += 1
        guard inChains <= count else { return "chains have more than \(count) entries" }
        next = entries[Int(next - 1)].next
      }
    }
    guard inChains == count else { return "\(inChains) in chains, \(count) counted" }
    for place in 0..<count {
      let number = Int(heap[place])
      guard number < untouched else { return "untouched entry \(number) in the heap" }
      guard entries[number].heapPlace == place else { return "entry \(number) is not where it says" }
      if place > 0, time(Int(heap[(place - 1) / 2])) > time(number) { return "the heap is out of order at \(place)" }
    }
    var free = 0
    var next = header[1]
    while next != 0 {
      guard next <= untouched, !used.contains(Int(next - 1)) else { return "used entry \(next - 1) among the free" }
      free += 1
      guard free <= capacity else { return "the free entries are a ring" }
      next = entries[Int(next - 1)].next
    }
    guard used.count == count else { return "wrong count \(count)" }
    return count + free + capacity - untouched == capacity ? nil : "\(count) used, \(free) free, \(untouched) touched"
  }
}
