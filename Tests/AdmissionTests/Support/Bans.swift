import CSharedLayouts
@_spi(Begat) import UnixCore

@testable import Admission

/// A table of bans that tests share with a thread that changes it.
final class Bans: @unchecked Sendable {
  /// A listener's view of the table.
  final class Reader {
    private let reader: BanReader

    init(_ reader: consuming BanReader) { self.reader = reader }

    func isBanned(_ address: SocketAddress?, now: Deadline) -> Bool { reader.isBanned(address, now: now) }
  }

  private var table: BanTable
  private let isStopped = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
  private(set) var changes = 0

  init() throws {
    table = try BanTable()
    isStopped.initialize(to: 0)
  }

  deinit { isStopped.deallocate() }

  var count: Int { table.count }
  func add(_ ban: Ban, now: Deadline = .now) -> BanTable.Addition { table.add(ban, now: now) }
  func remove(_ network: IPNetwork, service: UInt32) -> Bool { table.remove(network, service: service) }
  func removeExpired(now: Deadline) -> Int { table.removeExpired(now: now) }
  func all() -> [Ban] { table.all() }
  func covering(_ network: IPNetwork) -> [Ban] { table.covering(network) }
  func nextExpiry() -> Deadline { table.nextExpiry() }

  func nativeReader(_ service: UInt32) throws -> BanReader { try BanReader(table.object, service: service) }
  func reader(_ service: UInt32) throws -> Reader { Reader(try nativeReader(service)) }

  /// The table as bytes, which may be spoiled.
  func memory() throws -> MemoryMapping {
    try MemoryMapping.file(table.object, size: BanSlots.size, writable: true)
  }

  /// Adds and removes bans of the numbers' networks until `stop`.
  func write(_ network: (UInt64) -> IPNetwork) {
    while begat_load(isStopped) == 0 {
      for number in 0..<100 as Range<UInt64> { _ = add(Ban(network(number))) }
      for number in 0..<100 as Range<UInt64> { _ = remove(network(number), service: 0) }
      changes += 200
    }
  }

  func stop() { begat_store(isStopped, 1) }
}
