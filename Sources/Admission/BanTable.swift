import CSharedLayouts
@_spi(Begat) import UnixCore

/// The networks that an administrator has banned, in memory that all listeners read.  begatd is the only writer.
public struct BanTable: ~Copyable {
  /// How many bans there may be.
  public static let capacity = 16_384
  /// The number that stands for all services.
  public static let allServices: UInt32 = 0

  /// The memory object, for listeners.
  public let object: Descriptor
  private let memory: MemoryMapping
  private let secret: (UInt64, UInt64)
  /// The bans themselves: the memory is only written.
  private var bans: [BanKey: Ban] = [:]
  /// How many bans there are of each kind: from all services, then from one.
  private var kinds: [[Int]]

  private static let kindCount = 64 * Int(BEGAT_BAN_LENGTH_WORDS)

  /// Makes a table without bans, in memory that can be sealed.
  ///
  /// Source: memfd_create(2).
  public init() throws(SystemCallError) {
    let object = try MemoryFile.createSealable(name: "begat-bans", size: BanSlots.size)
    let memory = try MemoryMapping.file(object, size: BanSlots.size, writable: true, isInherited: false)
    let header = BanSlots(in: memory.unsafeBytes).header
    secret = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
    header.pointee.magic = UInt32(BEGAT_BANS_MAGIC)
    header.pointee.version = UInt16(BEGAT_BANS_VERSION)
    header.pointee.slot_size = UInt16(MemoryLayout<begat_ban>.stride)
    header.pointee.secret = secret
    kinds = Array(repeating: Array(repeating: 0, count: BanTable.kindCount), count: 2)
    self.object = object
    self.memory = memory
  }

  private var slots: BanSlots { BanSlots(in: memory.unsafeBytes) }

  // MARK: - Changes

  /// The outcome of an addition.
  public enum Addition: Hashable, Sendable {
    /// The ban is in force.
    case added
    /// The same network was banned from the same service before: the ban ends when the new one says.
    case changed
    /// There are as many bans as there may be, and none of them has ended.
    case full
  }

  /// Adds a ban, which is in force immediately.
  public mutating func add(_ ban: Ban, now: Deadline = .now) -> Addition {
    let key = ban.key
    let isKnown = bans[key] != nil
    if !isKnown, count == BanTable.capacity, removeExpired(now: now) == 0 { return .full }
    let slot = find(key)
    begat_begin_change(slots.header)
    begat_put_ban(
      slots.first + slot,
      begat_ban(high: key.high, low: key.low, expires: ban.expiry.instant, service: key.service, kind: key.kind))
    bans[key] = ban
    if !isKnown { count(key, 1) }
    begat_end_change(slots.header)
    return isKnown ? .changed : .added
  }

  /// Removes the ban of exactly this network from exactly this service.
  ///
  /// - Returns: false if there is none.
  public mutating func remove(_ network: IPNetwork, service: UInt32) -> Bool {
    let key = BanKey(network, service: service)
    guard bans.removeValue(forKey: key) != nil else { return false }
    begat_begin_change(slots.header)
    closeGap(at: find(key))
    count(key, -1)
    begat_end_change(slots.header)
    return true
  }

  /// Removes the bans that have ended, which are not in force any more anyway.
  ///
  /// - Returns: how many.
  @discardableResult
  public mutating func removeExpired(now: Deadline = .now) -> Int {
    let expired = bans.values.filter { $0.expiry <= now }
    for ban in expired { _ = remove(ban.network, service: ban.service) }
    return expired.count
  }

  /// Keeps the counts, and the bits for readers, that a ban's kind has.
  private mutating func count(_ key: BanKey, _ change: Int) {
    let kind = Int(key.kind)
    kinds[key.scope][kind] += change
    slots.header.pointee.count = UInt32(bans.count)
    let word = UInt32(kind / 64)
    let bit: UInt64 = 1 << UInt64(kind % 64)
    let others = begat_ban_kinds(slots.header, UInt32(key.scope), word) & ~bit
    begat_set_ban_kinds(slots.header, UInt32(key.scope), word, kinds[key.scope][kind] > 0 ? others | bit : others)
  }

  /// The slot of a ban, or the one that it would get.
  private func find(_ key: BanKey) -> Int {
    var slot = BanSlots.home(of: key, secret)
    while slots.first[slot].kind != 0, !key.isKey(of: slots.first[slot]) { slot = BanSlots.after(slot) }
    return slot
  }

  /// Moves later bans of the same run back, so that searches need no marks of removed ones.
  private func closeGap(at removed: Int) {
    var gap = removed
    var slot = BanSlots.after(gap)
    while slots.first[slot].kind != 0 {
      let ban = slots.first[slot]
      let home = BanSlots.home(of: BanKey(ban), secret)
      if BanSlots.distance(from: home, to: slot) >= BanSlots.distance(from: gap, to: slot) {
        begat_put_ban(slots.first + gap, ban)
        gap = slot
      }
      slot = BanSlots.after(slot)
    }
    begat_put_ban(slots.first + gap, begat_ban())
  }

  // MARK: - What there is

  /// How many bans there are, those included that have ended and were not removed yet.
  public var count: Int { bans.count }

  /// A number that another one takes the place of with each change.
  public var changes: UInt32 { begat_ban_sequence(slots.header) }

  /// The bans in the order of their networks.
  public func all() -> [Ban] {
    bans.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The bans of this network and of those that it is part of: what keeps its clients away.
  public func covering(_ network: IPNetwork) -> [Ban] {
    all().filter { $0.network.contains(network) }
  }

  /// The bans in an object that another process has written, which may contain anything; none if it is no table of this
  /// version.
  public static func bans(in object: borrowing Descriptor, now: Deadline = .now) -> [Ban] {
    do throws(SystemCallError) {
      guard try MemoryFile.size(of: object) >= BanSlots.size else { return [] }
      let memory = try MemoryMapping.file(object, size: BanSlots.size, writable: false)
      let slots = BanSlots(in: memory.unsafeBytes)
      guard slots.header.pointee.magic == UInt32(BEGAT_BANS_MAGIC),
        slots.header.pointee.version == UInt16(BEGAT_BANS_VERSION),
        slots.header.pointee.slot_size == UInt16(MemoryLayout<begat_ban>.stride)
      else { return [] }
      let found = (0..<BanSlots.count).compactMap { Ban(begat_copy_ban(slots.first + $0)) }
      return Array(found.filter { $0.expiry > now }.prefix(capacity))
    } catch { return [] }
  }

  /// When the next ban ends; never if none does.
  public func nextExpiry() -> Deadline { bans.values.lazy.map(\.expiry).min() ?? .never }
}
