import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// Shared memory in which anything may stand: neither trap nor endless loop may come of it.
@Suite(.timeLimit(.minutes(30))) struct SpoiledMemoryTests {
  private func fill(_ bytes: UnsafeMutableRawBufferPointer, _ random: inout SeededRandom) {
    for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
      bytes.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
    }
  }

  @Test("a book of random bytes is refused, and one with nothing but a right beginning is taken over")
  func takesOverABook() throws {
    var random = SeededRandom(state: 1)
    let allowed = try limits {
      $0.ratePerSource = try rate("10/s")
      $0.rate = try rate("1000/s burst 1000")
      $0.whenFull = .refuse
    }
    for round in 0..<4 {
      let object = try AdmissionBook.create(maxConnections: 100)
      let memory = try MemoryMapping.file(object, size: try MemoryFile.size(of: object), writable: true)
      // All of it once, as filling takes long: the first thousand sources otherwise.
      let end = round == 0 ? memory.unsafeBytes.count : AdmissionBook.connectionsOffset + 40_000
      fill(UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[AdmissionBook.connectionsOffset..<end]), &random)
      #expect(throws: SystemCallError.self) { _ = try Admission(allowed, book: object) }
      let start = memory.unsafeBytes.baseAddress! + AdmissionBook.connectionsOffset
      BookPart.begin(at: start)
      if round % 2 == 1 { start.assumingMemoryBound(to: begat_book.self).pointee.untouched = 100 }
      let generation = try Visits(
        allowed, book: object, column: round, clearing: round < 2 ? .all : [], now: 1000 * second)
      var tickets: [Visits.Ticket] = []
      for host in 0..<500 as Range<UInt32> {
        let address = SocketAddress.ipv4(IPv4Address(rawValue: host), port: 1)
        if let ticket = generation.admit(address, user: nil, now: 1000 * second).ticket { tickets.append(ticket) }
      }
      // Where all columns are cleared, nothing is left that could refuse a client except what buckets remember.
      if round < 2 { #expect(generation.active == tickets.count) }
      for ticket in tickets { generation.giveBack(ticket) }
      if round < 2 { #expect(generation.active == 0) }
    }
  }

  @Test("a book that another process spoils meanwhile leads to wrong answers at most")
  func survivesSpoiling() throws {
    var random = SeededRandom(state: 2)
    let part = PartMemory(capacity: 50)
    let memory = try TableMemory(continuing: part, column: 1)
    let bucket = TokenBucket(try rate("10/s burst 1000"))
    for step in 0..<20_000 as Range<Int64> {
      if step % 16 == 0 {
        fill(UnsafeMutableRawBufferPointer(rebasing: part.bytes[8...]), &random)
        if step % 32 == 0 { part.header.pointee.untouched = UInt32(step % 60) }
      }
      let number = memory.table.find(UInt64(step % 70), now: step)
      let fullAt = bucket.taking(fullAt: memory.table.book.fullAt(number), now: Deadline(instant: step))
      _ = bucket.nextTime(fullAt: fullAt)
      memory.table.begin(number, fullAt: fullAt)
      memory.table.book.takePlace()
      if step % 3 > 0 { memory.table.end(number) }
      memory.table.book.givePlaceBack()
      if step % 1000 == 0 { memory.table.refreshTimes() }
      _ = memory.table.book.othersActive
    }
  }

  @Test("a look-up in a table of random bytes ends, whatever it answers")
  func readsBans() throws {
    var random = SeededRandom(state: 3)
    for round in 0..<6 {
      let table = try Bans()
      let reader = try table.reader(1)
      let memory = try table.memory()
      fill(memory.unsafeBytes, &random)
      #expect(throws: SystemCallError.self) { _ = try table.reader(1) }
      let slots = BanSlots(in: memory.unsafeBytes)
      // With few or with all kinds of prefixes, at rest or in the middle of a change.
      for place in 0..<6 as Range<UInt32> where round < 4 {
        begat_set_ban_kinds(slots.header, place / 3, place % 3, round < 2 ? 0 : .max)
      }
      slots.header.pointee.sequence = UInt32(round)
      for host in 0..<3 as Range<UInt64> {
        _ = reader.isBanned(.ipv4(IPv4Address(rawValue: UInt32(host)), port: 1), now: Deadline(instant: second))
        _ = reader.isBanned(
          .ipv6(IPv6Address(high: ~host, low: host), port: 1, scope: 0), now: Deadline(instant: second))
      }
    }
  }
}
