import Admission
import ControlProtocol
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) struct ConnectionTableTests {
  private func entry(_ process: Int32, slot: Int) -> ConnectionTable.Entry {
    ConnectionTable.Entry(
      process: process, slot: UInt32(slot), started: Deadline(instant: Int64(process) * 3), user: UInt32(process) &* 5,
      peer: PeerFields(.ipv4(.loopback, port: UInt16(truncatingIfNeeded: process))), reservation: nil)
  }

  private func insert(_ process: Int32, into table: inout ConnectionTable) -> Int {
    let slot = table.nextSlot
    table.insert(entry(process, slot: slot))
    return slot
  }

  /// The properties of a removed connection that a test compares.
  private struct Removed {
    let process: Int32
    let slot: UInt32
    let started: Deadline
    let user: UInt32
    let peer: PeerFields
  }

  private func remove(_ process: Int32, from table: inout ConnectionTable) -> Removed? {
    switch table.remove(process) {
    case .some(let entry):
      Removed(process: entry.process, slot: entry.slot, started: entry.started, user: entry.user, peer: entry.peer)
    case nil: nil
    }
  }

  private func processes(_ table: inout ConnectionTable) -> [Int32] {
    var found: [Int32] = []
    table.forEach { found.append($0.process) }
    return found.sorted()
  }

  @Test("keeps a connection until it is taken out")
  func keepsAConnection() throws {
    var table = try ConnectionTable(capacity: 4)
    #expect(table.isEmpty && !table.isFull && table.count == 0)
    let slot = insert(4711, into: &table)
    #expect(table.contains(4711) && table.count == 1 && !table.isEmpty)
    let removed = remove(4711, from: &table)
    let found = try #require(removed)
    #expect(found.process == 4711 && found.slot == UInt32(slot) && found.started == Deadline(instant: 4711 * 3))
    #expect(found.user == 4711 * 5 && found.peer.address == .ipv4(.loopback, port: 4711))
    #expect(!table.contains(4711) && table.isEmpty)
    #expect(remove(4711, from: &table) == nil)
  }

  @Test("knows no process that is none of ours", arguments: [0, -1, .min, 1, .max] as [Int32])
  func knowsNoStranger(process: Int32) throws {
    var table = try ConnectionTable(capacity: 4)
    #expect(table.contains(process) == false)
    #expect(remove(process, from: &table) == nil)
    _ = insert(4711, into: &table)
    #expect(table.contains(process) == false)
    #expect(remove(process, from: &table) == nil)
    #expect(table.count == 1)
  }

  @Test("is full at its capacity, each slot used once", arguments: [1, 2, 7, 8, 256, 1000])
  func isFull(capacity: Int) throws {
    var table = try ConnectionTable(capacity: capacity)
    var slots: Set<Int> = []
    for process in 1...Int32(capacity) {
      #expect(table.isFull == false)
      slots.insert(insert(process * 31, into: &table))
    }
    #expect(table.isFull && table.count == capacity && slots == Set(0..<capacity))
    let removed = remove(31, from: &table)
    let freed = try #require(removed)
    #expect(!table.isFull && table.nextSlot == Int(freed.slot))
  }

  @Test("finds what follows a gap in a run of places, in whatever order it is emptied")
  func closesGaps() throws {
    // These share a place: their low bits are the same.
    let processes = (0..<8).map { Int32(5 + $0 * 16) } + [6, 7, 22, 23, 38, 15, 31, 47]
    var random = SeededRandom(state: 1)
    for _ in 0..<500 {
      var table = try ConnectionTable(capacity: 8)
      let chosen = Array(processes.shuffled(using: &random).prefix(8))
      for process in chosen { _ = insert(process, into: &table) }
      var left = Set(chosen)
      for process in chosen.shuffled(using: &random) {
        #expect(remove(process, from: &table)?.process == process, "\(chosen)")
        left.remove(process)
        let found = self.processes(&table)
        #expect(left.allSatisfy { table.contains($0) } && found == left.sorted(), "\(chosen)")
      }
      #expect(table.isEmpty == true)
    }
  }

  @Test("does what a dictionary does", arguments: [(1, 3), (8, 20), (100, 300), (256, 100_000)])
  func doesWhatADictionaryDoes(capacity: Int, processes: Int32) throws {
    var table = try ConnectionTable(capacity: capacity)
    var slots: [Int32: Int] = [:]
    var random = SeededRandom(state: UInt64(capacity))
    for _ in 0..<20_000 {
      let process = Int32.random(in: 1...processes, using: &random)
      let wantsMore = Int.random(in: 0..<100, using: &random) < 55
      if wantsMore, !table.isFull, slots[process] == nil {
        let slot = insert(process, into: &table)
        #expect(!slots.values.contains(slot))
        slots[process] = slot
      } else {
        // Those that are there come oftener, or hardly any would.
        let victim = Bool.random(using: &random) ? process : slots.keys.randomElement(using: &random) ?? process
        #expect(remove(victim, from: &table).map { Int($0.slot) } == slots.removeValue(forKey: victim))
      }
      #expect(table.count == slots.count && table.isFull == (slots.count == capacity))
      #expect(table.contains(process) == (slots[process] != nil))
    }
    let found = self.processes(&table)
    #expect(found == slots.keys.sorted())
  }

  @Test("keeps the place of a client among those admitted until the client is taken out")
  func keepsReservations() throws {
    let admission = try Admission(AdmissionLimits())
    var table = try ConnectionTable(capacity: 8)
    // Some share a place, so that entries move.
    let processes = (0..<8).map { Int32(5 + $0 * 16) }
    for process in processes {
      switch admission.admit(Client(address: .ipv4(.loopback, port: 1), prefix: SourcePrefix()), now: .now) {
      case .admitted(let reservation):
        let slot = UInt32(table.nextSlot)
        table.insert(
          ConnectionTable.Entry(
            process: process, slot: slot, started: .now, user: 0, peer: PeerFields(nil), reservation: reservation))
      default: Issue.record("not admitted")
      }
    }
    #expect(admission.active == 8)
    for (index, process) in processes.enumerated() {
      #expect(remove(process, from: &table) != nil)
      #expect(admission.active == 7 - index)
    }
  }

  @Test("has slots for processes that are no connections yet")
  func reservesSlots() throws {
    var table = try ConnectionTable(capacity: 2, spares: 2)
    let found = [table.reserveSlot(), table.reserveSlot()]
    let first = try #require(found[0])
    let second = try #require(found[1])
    #expect(table.isEmpty && first != second)
    let slots = [insert(1, into: &table), insert(2, into: &table)]
    #expect(table.isFull && table.count == 2 && Set(slots + [Int(first), Int(second)]).count == 4)
    let further = table.reserveSlot()
    #expect(further == nil)
    _ = remove(1, from: &table)
    table.insertReserved(entry(3, slot: Int(first)))
    #expect(table.isFull && table.contains(3))
    table.giveBack(second)
    _ = remove(2, from: &table)
    _ = remove(3, from: &table)
    #expect(table.isEmpty && table.count == 0)
    let again = (0..<4).compactMap { _ in table.reserveSlot() }
    #expect(Set(again).count == 4 && table.isEmpty)
  }
}
