@_spi(Begat) import UnixCore

/// A place that a client has among those admitted, from its admission to its end: it is given back when the value is
/// dropped.
///
/// It must not outlive the `Admission` that it is from.  A forked process never drops its copy, as it ends without
/// unwinding its stack; it does not have the memory in which places are counted either.
public struct Reservation: ~Copyable {
  private let book: UnsafeMutablePointer<AdmissionBook>
  let source: SourceTable.Number
  /// How many places the client's source has, this one included.
  public let placesOfSource: Int

  /// Takes over a place that was counted for the source.
  init(in book: UnsafeMutablePointer<AdmissionBook>, source: SourceTable.Number) {
    self.book = book
    self.source = source
    placesOfSource = book.pointee.table.active(source)
  }

  deinit {
    if book.pointee.table.end(source) { book.pointee.active -= 1 }
  }
}

/// The counts of admission, for the whole service and for each source.
struct AdmissionBook {
  /// How many places are taken.
  var active = 0
  /// When the service's bucket of tokens is full again.
  var fullAt = TokenBucket.untouched
  let table: SourceTable

  private static let tableOffset = 128

  /// The size in bytes with a table for so many sources.
  static func size(capacity: Int) -> Int { tableOffset + SourceTable.size(capacity: capacity) }

  /// Begins a book.
  ///
  /// - Parameter memory: `size(capacity:)` bytes of zeros, which must last as long as the book.
  static func open(in memory: UnsafeMutableRawBufferPointer, capacity: Int) -> UnsafeMutablePointer<AdmissionBook> {
    precondition(MemoryLayout<AdmissionBook>.size <= tableOffset)
    let table = SourceTable(memory: UnsafeMutableRawBufferPointer(rebasing: memory[tableOffset...]), capacity: capacity)
    let book = memory.baseAddress!.bindMemory(to: AdmissionBook.self, capacity: 1)
    book.initialize(to: AdmissionBook(table: table))
    return book
  }
}
