import Admission
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

  @Test("takes a service's drain from the service itself, not from listeners of the same name that leave")
  func drainOfItsOwn() throws {
    let services = [
      SavedState.Service(name: "echo"), SavedState.Service(name: "time", isDrained: true),
      SavedState.Service(name: "echo", isDrained: true, generations: [Self.generation]),
    ]
    #expect(Inheritance(try Self.kept(services)).drainedServices == ["time"])
  }
}
