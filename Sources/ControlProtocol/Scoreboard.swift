import CSharedLayouts
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// What a listener and its connection processes do now, in memory that begatd maps too.
///
/// Connection processes write their own slots: a reader believes nothing in them, and the listener keeps what it must
/// know in memory of its own.
public struct Scoreboard: ~Copyable {
  private let memory: MemoryMapping
  public let slotCount: Int

  /// The size in bytes of a scoreboard with so many slots.
  public static func size(slotCount: Int) -> Int {
    Int(BEGAT_SCOREBOARD_HEADER_SIZE) + slotCount * MemoryLayout<begat_slot>.stride
  }

  /// Makes the memory object for a scoreboard, which can be sealed once its listener has mapped it.
  public static func create(slotCount: Int) throws(SystemCallError) -> Descriptor {
    try MemoryFile.createSealable(name: "begat-scoreboard", size: size(slotCount: slotCount))
  }

  /// Maps a scoreboard for its listener, which fills in the header.
  ///
  /// - Throws: `EINVAL` when the object is too small.
  public init(_ object: borrowing Descriptor, service: String, slotCount: Int) throws(SystemCallError) {
    let needed = Scoreboard.size(slotCount: slotCount)
    guard try MemoryFile.size(of: object) >= needed else {
      throw SystemCallError("mmap", on: "scoreboard", code: .invalidArgument)
    }
    try self.init(mapping: try MemoryMapping.file(object, size: needed, writable: true), service, slotCount)
  }

  /// A scoreboard that only this process and its children see.
  public init(service: String, slotCount: Int) throws(SystemCallError) {
    let memory = try MemoryMapping.shared(size: Scoreboard.size(slotCount: slotCount))
    try self.init(mapping: memory, service, slotCount)
  }

  private init(mapping: consuming MemoryMapping, _ service: String, _ slotCount: Int) throws(SystemCallError) {
    memory = mapping
    self.slotCount = slotCount
    header.pointee.magic = UInt32(BEGAT_SCOREBOARD_MAGIC)
    header.pointee.version = UInt16(BEGAT_SCOREBOARD_VERSION)
    header.pointee.slot_size = UInt16(MemoryLayout<begat_slot>.stride)
    header.pointee.slot_count = UInt32(slotCount)
    header.pointee.listener_pid = getpid()
    header.pointee.started = SystemClock.monotonic()
    withUnsafeMutableBytes(of: &header.pointee.service) { room in
      var text = ByteWriter(room)
      text.append(service)
    }
  }

  /// Leaves the header out of processes that are forked from now on: none can spoil the listener's counts.
  ///
  /// Source: madvise(2), MADV_DONTFORK.
  public func keepHeaderFromChildren() {
    let size = Int(BEGAT_SCOREBOARD_HEADER_SIZE)
    // Slots share a larger page.
    guard sysconf(CInt(_SC_PAGESIZE)) == size else { return }
    madvise(memory.unsafeBytes.baseAddress, size, MADV_DONTFORK)
  }

  public var header: UnsafeMutablePointer<begat_scoreboard> {
    memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_scoreboard.self)
  }

  /// The slot of this number, from 0 to `slotCount` - 1.
  public func slot(_ index: Int) -> UnsafeMutablePointer<begat_slot> {
    precondition(index >= 0 && index < slotCount)
    return (memory.unsafeBytes.baseAddress! + Int(BEGAT_SCOREBOARD_HEADER_SIZE)).assumingMemoryBound(
      to: begat_slot.self)
      + index
  }

  /// Says how much of clients' addresses readers may show: their slots have them whole.
  public func setAddressForm(_ form: LogAddress) { header.pointee.address_form = form.number }

  // MARK: Counting

  /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
  public func countAccepted(now: Int64) { begat_count_accepted(header, now) }

  /// - Parameter refusal: a `Refusal` value.
  public func countRefused(_ refusal: Int, now: Int64) { begat_count_refused(header, UInt32(refusal), now) }

  /// Counts a connection that has ended.
  ///
  /// - Parameter duration: in nanoseconds.
  /// - Parameter received: bytes as its process says, or `ConnectionRecord.unknownCount`.
  public func countEnded(_ outcome: Outcome, duration: Int64, received: UInt64, sent: UInt64) {
    begat_count_ended(header, UInt32(outcome.code.outcome), max(0, duration), received, sent)
  }
}
