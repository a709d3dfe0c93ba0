@_spi(Begat) import UnixCore

/// A place that a client has among those admitted, from its admission to its end: it is given back when the value is
/// dropped.
///
/// It must not outlive the `Admission` that it is from.  A forked process never drops its copy, as it ends without
/// unwinding its stack; it does not have the memory in which places are counted either.
public struct Reservation: ~Copyable {
  private let table: UnsafeMutablePointer<SourceTable>
  /// The number of the client's source in the table.
  package let source: UInt32
  /// How many places the client's source has, this one included.
  public let placesOfSource: Int

  /// Takes over a place that was counted for the source.
  init(in table: UnsafeMutablePointer<SourceTable>, source: SourceTable.Number, places: Int) {
    self.table = table
    self.source = source
    placesOfSource = places
  }

  deinit {
    // In this order, and in this generation's column alone: the successor may be admitting clients at this moment.
    table.locked {
      table.pointee.end(source)
      table.pointee.book.givePlaceBack()
    }
  }

  /// Leaves the place to the listener, in a process that was forked from it.
  package consuming func leaveToListener() { discard self }
}
