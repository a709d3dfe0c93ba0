import CSharedLayouts
@_spi(Begat) import UnixCore

/// A scoreboard as begatd sees it: read, never written, and not trusted.
public final class ScoreboardReader {
  private let memory: MemoryMapping
  /// As many as begatd made room for, whatever the listener has written.
  public let slotCount: Int

  /// Maps a scoreboard that `Scoreboard.create` made.
  public init(_ object: borrowing Descriptor, slotCount: Int) throws(SystemCallError) {
    self.slotCount = slotCount
    memory = try MemoryMapping.file(object, size: Scoreboard.size(slotCount: slotCount), writable: false)
  }

  private var header: UnsafeMutablePointer<begat_scoreboard> {
    memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_scoreboard.self)
  }

  /// A copy of the slot of this number, from 0 to `slotCount` - 1; its process is 0 where it is free.
  public func slot(_ index: Int) -> begat_slot {
    precondition(index >= 0 && index < slotCount)
    let slots = (memory.unsafeBytes.baseAddress! + Int(BEGAT_SCOREBOARD_HEADER_SIZE))
      .assumingMemoryBound(to: begat_slot.self)
    return begat_copy_slot(slots + index)
  }

  /// Connections at present.
  public var active: Int { min(Int(header.pointee.active), slotCount) }

  /// The counts of the listener so far.
  public var counters: ServiceCounters {
    var counters = ServiceCounters()
    counters.accepted = header.pointee.accepted
    counters.ended = header.pointee.ended
    counters.recordsDropped = header.pointee.records_dropped
    counters.datagramsAnswered = header.pointee.datagrams_answered
    counters.datagramsIgnored = header.pointee.datagrams_ignored
    let kinds = 0..<UInt32(BEGAT_REFUSAL_KINDS)
    counters.refused = kinds.map { begat_refused(header, $0).pointee }
    counters.datagramsRefused = kinds.map { begat_datagrams_refused(header, $0).pointee }
    return counters
  }
}
