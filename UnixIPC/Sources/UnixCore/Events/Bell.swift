import CPlatform
import Glibc

/// Wakes a process from others that were forked from it: they ring, it watches the descriptor.
///
/// Source: eventfd(2).
@_spi(Begat) public struct Bell: ~Copyable {
  /// Readable once it was rung; nothing is ever read, so that it is to be watched with `Poller.Interest.announcedOnce`.
  public let descriptor: Descriptor

  /// - Throws: `EMFILE` or `ENFILE` when there is no descriptor left.
  public init() throws(SystemCallError) { descriptor = try Cancellation.makeEvent() }

  /// Wakes the watching process.
  public func ring() { Bell.ring(descriptor.number) }

  /// Wakes the process that watches the bell with this descriptor, in a forked process that does not have the value.
  public static func ring(_ number: CInt) {
    // It fails only at the counter's greatest value, which would take centuries.
    _ = eventfd_write(number, 1)
  }
}
