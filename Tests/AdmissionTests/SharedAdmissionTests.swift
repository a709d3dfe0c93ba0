import CSharedLayouts
import Testing
@_spi(Begat) import UnixCore

@testable import Admission

/// An admission of which other processes of the listener have the memory too; this process is all of them here.
@Suite struct SharedAdmissionTests {
  private struct Shared: ~Copyable {
    let admission: Admission
    let word: UnsafeMutablePointer<UInt32>
    private let memory: MemoryMapping

    init(_ limits: AdmissionLimits) throws {
      let memory = try MemoryMapping.shared(size: 4096)
      let admission = try Admission(limits)
      word = memory.unsafeBytes.baseAddress!.bindMemory(to: UInt32.self, capacity: 1)
      admission.share(under: AdmissionLock(at: word))
      self.memory = memory
      self.admission = admission
    }

    func reserve(_ host: String) throws -> Reservation {
      let client = Client(address: try peer(host), prefix: SourcePrefix())
      switch admission.admit(client, now: Deadline(instant: second)) {
      case .admitted(let reservation): return reservation
      case .refused(let refusal): throw SystemCallError("accept", on: "\(refusal)", code: .wouldBlock)
      }
    }
  }

  private static let dead: Int32 = 4711

  @Test("has room for the processes that share it, with or without a book")
  func hasRoom() throws {
    let book = try AdmissionBook.create(maxConnections: 10)
    func check(_ admission: borrowing Admission) throws {
      let room = admission.room
      #expect(room.count >= 1000 && room.allSatisfy { $0 == 0 })
      #expect(UInt(bitPattern: room.baseAddress) % 64 == 0)
      room.initializeMemory(as: UInt8.self, repeating: 255)
      let client = Client(address: try peer("192.0.2.7"), prefix: SourcePrefix())
      #expect(admission.sources == 0 && admission.refusalOfEvent(from: client, now: Deadline(instant: second)) == nil)
      #expect(admission.sources == 1 && room.allSatisfy { $0 == 255 })
    }
    try check(try Admission(AdmissionLimits(), room: 1000))
    let shared = try Admission(AdmissionLimits(), book: book, room: 1000)
    shared.begin()
    try check(shared)
    let without = try Admission(AdmissionLimits())
    #expect(without.room.isEmpty)
  }

  @Test("leaves the lock free after everything")
  func leavesTheLockFree() throws {
    let shared = try Shared(AdmissionLimits())
    func visit() throws {
      let reservation = try shared.reserve("192.0.2.7")
      #expect(shared.word.pointee == 0)
      shared.admission.noteCrashed(reservation, now: Deadline(instant: second))
    }
    try visit()
    let client = Client(address: try peer("192.0.2.8"), prefix: SourcePrefix())
    let answer = try shared.admission.admit(now: Deadline(instant: second)) { () throws(SystemCallError) in
      #expect(shared.word.pointee != 0)
      return client
    } noting: { _ in
      #expect(shared.word.pointee != 0)
    }
    if case .wait = answer { Issue.record("a service with room lets a client wait") }
    #expect(shared.word.pointee == 0)
    #expect(throws: SystemCallError.self) {
      _ = try shared.admission.admit(now: Deadline(instant: second)) { () throws(SystemCallError) in
        throw SystemCallError("accept", code: .wouldBlock)
      }
    }
    #expect(shared.word.pointee == 0 && shared.admission.active == 0)
  }

  @Test("counts a place that another process has taken once, and gives it back once")
  func takesPlacesOver() throws {
    let shared = try Shared(AdmissionLimits())
    let reservation = try shared.reserve("192.0.2.7")
    let source = reservation.source
    reservation.leaveToListener()
    #expect(shared.admission.active == 1)
    func end() { _ = shared.admission.takeOver(source: source, places: 1) }
    end()
    #expect(shared.admission.active == 0)
  }

  @Test("counts its places anew after a process has died with the lock")
  func repairs() throws {
    var limits = AdmissionLimits()
    limits.maxConnectionsPerSource = 3
    let shared = try Shared(limits)
    let first = try shared.reserve("192.0.2.7")
    let second = try shared.reserve("192.0.2.7")
    let third = try shared.reserve("192.0.2.8")
    let sources = [first.source, second.source, third.source]
    // Its last act was to count a connection of the source, and not yet of the service.
    shared.admission.table.pointee.book.begin(first.source)
    shared.word.pointee = UInt32(SharedAdmissionTests.dead)
    shared.admission.repair(after: SharedAdmissionTests.dead) { count in for source in sources { count(source) } }
    #expect(shared.word.pointee == 0 && shared.admission.active == 3)
    #expect(shared.admission.table.pointee.book.active(first.source) == 2)
    #expect(shared.admission.table.pointee.book.active(third.source) == 1)
    let fourth = try shared.reserve("192.0.2.7")
    #expect(throws: SystemCallError.self) { _ = try shared.reserve("192.0.2.7") }
    _ = consume first
    _ = consume second
    _ = consume third
    _ = consume fourth
    #expect(shared.admission.active == 0)
  }

  @Test("changes nothing after a process has died without the lock")
  func repairsOnlyWhatIsBroken() throws {
    let shared = try Shared(AdmissionLimits())
    let reservation = try shared.reserve("192.0.2.7")
    shared.admission.repair(after: SharedAdmissionTests.dead) { _ in Issue.record("counted anew") }
    shared.word.pointee = 1
    shared.admission.repair(after: SharedAdmissionTests.dead) { _ in Issue.record("counted anew") }
    #expect(shared.word.pointee == 1 && shared.admission.active == 1)
    shared.word.pointee = 0
    _ = consume reservation
  }
}
