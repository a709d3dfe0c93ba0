import Admission
import CSharedLayouts
import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// The state that a begatd inherits.
@Suite struct InheritanceTests {
  private static func kept(_ services: [SavedState.Service]) throws -> KeptDescriptors {
    let kept = KeptDescriptors()
    var state = SavedState()
    state.services = services
    kept.add(try state.write(), named: KeptName.state(1).text)
    return kept
  }

  private static let generation = SavedState.Generation(number: 1, process: 4711, column: 0, slotCount: 4)

  @Test("gives no book away in which a listener may go on counting for which the store had no room")
  func listenerWithoutRoom() throws {
    for hasBoard in [true, false] {
      let kept = try Self.kept([SavedState.Service(name: "echo", generations: [Self.generation])])
      kept.add(try AdmissionBook.create(maxConnections: 4), named: KeptName.book(service: "echo").text)
      if hasBoard {
        let board = try MemoryFile.create(name: "board", size: Scoreboard.size(slotCount: 4))
        kept.add(board, named: KeptName.board(service: "echo", generation: 1).text)
      }
      var inheritance = Inheritance(kept)
      // A listener that has ended leaves its scoreboard there.
      switch inheritance.takeService("echo") {
      case .some(let service): #expect((service.book == nil) == !hasBoard)
      case nil: Issue.record("no service")
      }
    }
  }

  @Test(
    "keeps a listener whose scoreboard has the smaller slots of another version, and its book",
    arguments: [false, true])
  func smallerSlots(isUpgrade: Bool) throws {
    let kept = try Self.kept([SavedState.Service(name: "echo", generations: [Self.generation])])
    let board = try MemoryFile.create(
      name: "board",
      size: Scoreboard.size(slotCount: 0) + Self.generation.slotCount * MemoryLayout<begat_slot>.stride / 2)
    var header = begat_scoreboard()
    header.magic = UInt32(BEGAT_SCOREBOARD_MAGIC)
    header.version = UInt16(BEGAT_SCOREBOARD_VERSION) - 1
    header.slot_size = UInt16(MemoryLayout<begat_slot>.stride / 2)
    header.slot_count = UInt32(Self.generation.slotCount)
    header.active = 3
    try withUnsafeBytes(of: header) { try board.writeAll($0) }
    kept.add(board, named: KeptName.board(service: "echo", generation: 1).text)
    kept.add(try AdmissionBook.create(maxConnections: 4), named: KeptName.book(service: "echo").text)
    let first = try SocketPair(kind: .sequencedPacket)
    let second = try SocketPair(kind: .sequencedPacket)
    // The listener holds its ends.
    let firstEnd = first.second
    let secondEnd = second.second
    if isUpgrade { kept.add(first.first, named: KeptName.firstChannel(service: "echo", generation: 1).text) }
    kept.add(second.first, named: KeptName.channel(service: "echo", generation: 1).text)
    var inheritance = Inheritance(kept)
    switch inheritance.takeService("echo") {
    case .some(let service):
      let hasBook = service.book != nil
      let generations = service.generations
      #expect(hasBook && generations.map(\.process) == [Self.generation.process])
      let areGivenUp = secondEnd.hasHungUp || isUpgrade && firstEnd.hasHungUp
      #expect(!areGivenUp)
      #expect(generations.first?.isChild == isUpgrade && generations.first?.board.active == 0)
    case nil: Issue.record("no service")
    }
  }

  @Test("takes a service's drain from the service itself, not from listeners of the same name that leave")
  func drainOfItsOwn() throws {
    let services = [
      SavedState.Service(name: "echo"), SavedState.Service(name: "time", isDrained: true),
      SavedState.Service(name: "echo", isDrained: true, generations: [Self.generation]),
    ]
    #expect(Inheritance(try Self.kept(services)).drainedServices == ["time"])
  }
}
