import CSharedLayouts
import Settings
@_spi(Begat) import UnixCore

/// A scoreboard as others than its listener see it: read, never written, and not trusted.
///
/// One of another version shows no connections and no counts.
public final class ScoreboardReader {
  private let memory: MemoryMapping
  /// As many as there is room for, whatever the listener has written.
  public let slotCount: Int

  /// Maps a scoreboard that `Scoreboard.create` made.
  ///
  /// - Parameter slotCount: the number of its slots; fewer are there in an object of a version whose slots are smaller.
  /// - Throws: `EINVAL` when the object has no room for a header.
  public init(_ object: borrowing Descriptor, slotCount: Int) throws(SystemCallError) {
    let empty = Scoreboard.size(slotCount: 0)
    // Memory beyond the end of the object is there and ends a process that reads it by SIGBUS.
    let size = try MemoryFile.size(of: object)
    guard slotCount >= 0, size >= empty else {
      throw SystemCallError("mmap", on: "scoreboard", code: .invalidArgument)
    }
    self.slotCount = min(slotCount, (size - empty) / MemoryLayout<begat_slot>.stride)
    memory = try MemoryMapping.file(object, size: Scoreboard.size(slotCount: self.slotCount), writable: false)
  }

  /// Maps a scoreboard of another begat's, with as many slots as the object has.
  public convenience init(_ object: borrowing Descriptor) throws(SystemCallError) {
    let room = try MemoryFile.size(of: object) - Scoreboard.size(slotCount: 0)
    try self.init(object, slotCount: room / MemoryLayout<begat_slot>.stride)
  }

  /// The largest number of slots that is copied.
  private static let maxCopiedSlots = 65_536

  /// Copies a scoreboard, from the file's present position, because its owner may truncate the file at any time.
  ///
  /// - Throws: `EINVAL` when the file is too small.
  public init(copyOf file: borrowing Descriptor) throws(SystemCallError) {
    let empty = Scoreboard.size(slotCount: 0)
    let size = min(try MemoryFile.size(of: file), Scoreboard.size(slotCount: ScoreboardReader.maxCopiedSlots))
    guard size >= empty else { throw SystemCallError("read", on: "scoreboard", code: .invalidArgument) }
    slotCount = (size - empty) / MemoryLayout<begat_slot>.stride
    memory = try MemoryMapping.shared(size: size)
    var rest = UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[..<size])
    while !rest.isEmpty {
      let count = try file.read(into: rest)
      if count == 0 { return }
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
    }
  }

  var header: UnsafeMutablePointer<begat_scoreboard> {
    memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_scoreboard.self)
  }

  /// Whether the listener has filled in the header, and in this version's layout.
  public var isReadable: Bool {
    header.pointee.magic == UInt32(BEGAT_SCOREBOARD_MAGIC) && header.pointee.version == UInt16(BEGAT_SCOREBOARD_VERSION)
      && header.pointee.slot_size == UInt16(MemoryLayout<begat_slot>.stride)
  }

  /// The listener's process, the service's name, and when it made the scoreboard, CLOCK_MONOTONIC nanoseconds.
  public var listener: Int32 { header.pointee.listener_pid }
  public var started: Int64 { header.pointee.started }
  public var service: UntrustedBytes {
    withUnsafeBytes(of: header.pointee.service) { bytes in
      UntrustedBytes(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: 0) ?? bytes.endIndex)]))
    }
  }

  /// How much of clients' addresses may be shown; nothing if the listener has written nonsense.
  public var addressForm: LogAddress { isReadable ? LogAddress(number: header.pointee.address_form) ?? .none : .none }

  /// Whether the listener has closed its sockets, so that it accepts no client any more.
  public var isRetired: Bool { isReadable && header.pointee.is_draining == UInt32(BEGAT_RETIRED) }

  /// A copy of the slot of this number, from 0 to `slotCount` - 1; its process is 0 where it is free.
  public func slot(_ index: Int) -> begat_slot {
    precondition(index >= 0 && index < slotCount)
    guard isReadable else { return begat_slot() }
    let slots = (memory.unsafeBytes.baseAddress! + Int(BEGAT_SCOREBOARD_HEADER_SIZE))
      .assumingMemoryBound(to: begat_slot.self)
    return begat_copy_slot(slots + index)
  }

  /// How long each connection in a slot has lasted, in nanoseconds.
  ///
  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  public func openDurations(now: Int64) -> [Int64] {
    (0..<slotCount).compactMap { index in
      let slot = slot(index)
      return slot.pid > 0 ? now - max(0, min(slot.started, now)) : nil
    }
  }

  /// Connections at present.
  public var active: Int { isReadable ? min(Int(header.pointee.active), slotCount) : 0 }

  /// How many of the slots are for spares, so that they do not count for the limit of connections.
  public var spareSlots: Int { isReadable ? min(Int(header.pointee.spare_slots), slotCount) : 0 }

  /// How many spares wait for clients.
  public var spares: Int { isReadable ? Int(header.pointee.spares) : 0 }

  /// The counts of the listener so far.
  public var counters: ServiceCounters {
    var counters = ServiceCounters()
    guard isReadable else { return counters }
    // Ends are read before clients: no reader sees more ends than clients.
    counters.records = header.pointee.records
    counters.recordsDropped = header.pointee.records_dropped
    counters.unsummed = header.pointee.unsummed
    counters.ended = header.pointee.ended
    counters.accepted = header.pointee.accepted
    counters.datagramsAnswered = header.pointee.datagrams_answered
    counters.datagramsIgnored = header.pointee.datagrams_ignored
    let kinds = 0..<UInt32(BEGAT_REFUSAL_KINDS)
    counters.refused = kinds.map { begat_refused(header, $0).pointee }
    counters.datagramsRefused = kinds.map { begat_datagrams_refused(header, $0).pointee }
    counters.outcomes = (0..<UInt32(BEGAT_OUTCOMES)).map { begat_outcome(header, $0).pointee }
    counters.durations = Array(
      UnsafeBufferPointer(start: begat_durations(header), count: Int(BEGAT_DURATION_BOUNDS) + 1))
    counters.durationSum = header.pointee.duration_sum
    counters.bytesReceived = header.pointee.bytes_received
    counters.bytesSent = header.pointee.bytes_sent
    let newest = header.pointee.newest_place
    counters.acceptedHistory = EventHistory(newest: newest, counts: begat_accepted_history(header))
    counters.refusedHistory = EventHistory(newest: newest, counts: begat_refused_history(header))
    counters.acceptedSeconds = EventHistory(
      newest: header.pointee.newest_second, counts: begat_accepted_seconds(header), length: 2)
    return counters
  }
}
