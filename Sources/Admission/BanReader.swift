import CSharedLayouts
@_spi(Begat) import UnixCore

/// The bans that begatd has written, as a listener reads them: in force from the moment they are written.
///
/// Reading never waits for the writer.  If each attempt at a look-up is disturbed, what one of them has found counts: a
/// writer that was killed in the middle of a change leaves the bans in force.
public struct BanReader: ~Copyable, @unchecked Sendable {
  /// nil where the memory is an admission's.
  private let memory: MemoryMapping?
  private let slots: BanSlots
  private let service: UInt32
  private let secret: (UInt64, UInt64)

  private static let attempts = 16
  /// With at most half of the slots in use, no ban is so far from its place.
  private static let longestSearch = 512

  /// Maps the table of bans.
  ///
  /// - Parameter object: `BanTable.object`, or a descriptor of the same; it may be closed afterwards.
  /// - Parameter service: the number of the service, at least 1.
  /// - Throws: `EINVAL` for an object that is no table of bans that this program knows.
  public init(_ object: borrowing Descriptor, service: UInt32) throws(SystemCallError) {
    guard try MemoryFile.size(of: object) >= BanSlots.size else { throw BanReader.unusable }
    let memory = try MemoryMapping.file(object, size: BanSlots.size, writable: false, isInherited: false)
    let slots = BanSlots(in: memory.unsafeBytes)
    let header = slots.header
    guard header.pointee.magic == UInt32(BEGAT_BANS_MAGIC), header.pointee.version == UInt16(BEGAT_BANS_VERSION),
      header.pointee.slot_size == UInt16(MemoryLayout<begat_ban>.stride)
    else { throw BanReader.unusable }
    secret = header.pointee.secret
    self.service = service
    self.slots = slots
    self.memory = consume memory
  }

  private init(_ slots: BanSlots, service: UInt32, secret: (UInt64, UInt64)) {
    memory = nil
    self.slots = slots
    self.service = service
    self.secret = secret
  }

  /// Moves the memory into a range that has room for it, and lives longer.
  consuming func moved(into range: inout MemoryRange) throws(SystemCallError) -> BanReader {
    let (slots, service, secret) = (slots, service, secret)
    let memory = memory
    switch consume memory {
    case .some(let memory):
      return BanReader(BanSlots(in: try range.take(memory)), service: service, secret: secret)
    case nil: return BanReader(slots, service: service, secret: secret)
    }
  }

  private static let unusable = SystemCallError("mmap", on: "table of bans", code: .invalidArgument)

  /// Whether the address may not connect to the service.  Clients of Unix sockets are never banned.
  public func isBanned(_ address: SocketAddress?, now: Deadline) -> Bool {
    // Usually there is none: then nothing else is looked at.
    guard begat_ban_count(slots.header) > 0 else { return false }
    switch address {
    case .ipv4(let host, _): return isBanned(host, slots, now)
    case .ipv6(let host, _, _):
      if let mapped = host.unmapped { return isBanned(mapped, slots, now) }
      return isBanned(host.high, host.low, isIPv4: false, slots, now)
    case .unixPath, .unixAbstract, .unixUnnamed, nil: return false
    }
  }

  private func isBanned(_ host: IPv4Address, _ slots: BanSlots, _ now: Deadline) -> Bool {
    isBanned(UInt64(host.rawValue) << 32, 0, isIPv4: true, slots, now)
  }

  private func isBanned(_ high: UInt64, _ low: UInt64, isIPv4: Bool, _ slots: BanSlots, _ now: Deadline) -> Bool {
    var wasFound = false
    for _ in 0..<BanReader.attempts {
      let before = begat_ban_sequence(slots.header)
      let isFound = find(high, low, isIPv4: isIPv4, slots, now)
      if begat_is_unchanged(slots.header, before) { return isFound }
      wasFound = wasFound || isFound
    }
    return wasFound
  }

  /// Looks for a ban of each length of prefix that is in use.
  private func find(_ high: UInt64, _ low: UInt64, isIPv4: Bool, _ slots: BanSlots, _ now: Deadline) -> Bool {
    for scope in 0..<2 as Range<UInt32> {
      for word in 0..<Int(BEGAT_BAN_LENGTH_WORDS) {
        var kinds = begat_ban_kinds(slots.header, scope, UInt32(word)) & BanKind.mask(isIPv4: isIPv4, word: word)
        while kinds != 0 {
          let kind = word * 64 + kinds.trailingZeroBitCount
          kinds &= kinds - 1
          let service = scope == 0 ? BanTable.allServices : self.service
          let key = BanKey(high: high, low: low, service: service, kind: kind)
          if find(key, slots, now) { return true }
        }
      }
    }
    return false
  }

  private func find(_ key: BanKey, _ slots: BanSlots, _ now: Deadline) -> Bool {
    var slot = BanSlots.home(of: key, secret)
    for _ in 0..<BanReader.longestSearch {
      let ban = begat_copy_ban(slots.first + slot)
      if ban.kind == 0 { return false }
      if key.isKey(of: ban) { return ban.expires > now.instant }
      slot = BanSlots.after(slot)
    }
    return false
  }
}

/// The memory of a table of bans: a header, then slots, in which a ban is at the first free place from its hash on.
struct BanSlots {
  let header: UnsafeMutablePointer<begat_bans>
  let first: UnsafeMutablePointer<begat_ban>

  static let count = Int(BEGAT_BAN_SLOTS)
  static let size = Int(BEGAT_BANS_HEADER_SIZE) + count * MemoryLayout<begat_ban>.stride

  init(in memory: UnsafeMutableRawBufferPointer) {
    let start = memory.baseAddress!
    header = start.assumingMemoryBound(to: begat_bans.self)
    first = (start + Int(BEGAT_BANS_HEADER_SIZE)).assumingMemoryBound(to: begat_ban.self)
  }

  static func home(of key: BanKey, _ secret: (UInt64, UInt64)) -> Int { Int(key.hash(secret) % UInt64(count)) }
  static func after(_ slot: Int) -> Int { (slot + 1) % count }
  /// How many slots one is after another.
  static func distance(from: Int, to: Int) -> Int { (to - from + count) % count }
}
