import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// Messages to a listener that does not read for a while.
@Suite(.timeLimit(.minutes(30))) struct OutboxTests {
  private static let retirement = SupervisorMessage.retire(
    Retirement(closesSockets: true, drainTimeout: .seconds(30)))

  /// Reads what has arrived.
  private func received(_ channel: borrowing Descriptor) -> [SupervisorMessage] {
    var messages: [SupervisorMessage] = []
    withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
      while let count = try? channel.receive(into: room, waiting: false), count > 0 {
        let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
        if let message = ListenerChannel.supervisorMessage(bytes) { messages.append(message) }
      }
    }
    return messages
  }

  /// Sends so many orders that some of them wait.
  private func fill(_ outbox: inout Outbox, _ channel: borrowing Descriptor) throws -> UInt32 {
    var number: UInt32 = 0
    while outbox.isEmpty {
      number += 1
      try outbox.send(.end(EndOrder(number: number, .everything)), on: channel)
    }
    return number
  }

  @Test func whatHasNoRoomWaitsAndKeepsItsPlace() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    var outbox = Outbox()
    let last = try fill(&outbox, pair.first)
    #expect(last > 16 && outbox.retirementDeadline == nil)
    let before = SystemClock.monotonic()
    try outbox.send(Self.retirement, on: pair.first)
    #expect(try #require(outbox.retirementDeadline) >= before + Outbox.patience)
    var messages = received(pair.second)
    #expect(messages.count == Int(last) - 1)
    // Not before what waits already, although there is room now.
    try outbox.send(.question(7), on: pair.first)
    #expect(received(pair.second).isEmpty)
    outbox.flush(on: pair.first)
    #expect(outbox.isEmpty && outbox.retirementDeadline == nil)
    messages += received(pair.second)
    let orders = (1...last).map { SupervisorMessage.end(EndOrder(number: $0, .everything)) }
    #expect(messages == orders + [Self.retirement, .question(7)])
  }

  /// A file of which is known whether it is open anywhere: the end of a pipe.
  private final class WatchedFile {
    private let reader: Descriptor
    private var file: SharedFile?

    init() throws {
      let pipe = try PipeEnds()
      reader = pipe.readEnd
      file = SharedFile(pipe.writeEnd)
    }

    var isOpen: Bool { !reader.wait(for: .readable, until: .now) }

    /// Hands it over.
    func take() -> SharedFile? { file.take() }
  }

  @Test func filesGoWithTheirMessagesAndAreLetGoOf() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    var outbox = Outbox()
    let file = try WatchedFile()
    let last = try fill(&outbox, pair.first)
    try outbox.send(.board(5), passing: file.take(), on: pair.first)
    #expect(file.isOpen, "it waits")
    let before = received(pair.second)
    #expect(before.count == Int(last) - 1)
    outbox.flush(on: pair.first)
    #expect(outbox.isEmpty && file.isOpen, "it is on its way")
    // The last order waited before it.
    _ = try pair.second.receive(maxCount: 256, maxPassed: 1, until: .now)
    let passed = try pair.second.receive(maxCount: 256, maxPassed: 1, until: .now)
    let message = passed.bytes.withUnsafeBytes { ListenerChannel.supervisorMessage($0) }
    #expect(message == .board(5) && file.isOpen)
    _ = consume passed
    #expect(!file.isOpen, "neither side has it any more")
  }

  @Test func filesThatAreOfNoUseAnyMoreDoNotWait() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let (first, second, board) = (try WatchedFile(), try WatchedFile(), try WatchedFile())
    var outbox = Outbox()
    _ = try fill(&outbox, pair.first)
    try outbox.send(.state, passing: first.take(), on: pair.first)
    try outbox.send(.board(1), passing: board.take(), on: pair.first)
    #expect(first.isOpen && board.isOpen)
    try outbox.send(.state, passing: second.take(), on: pair.first)
    #expect(!first.isOpen && second.isOpen, "a later page takes its place")
    try outbox.send(.dropBoard(1), on: pair.first)
    #expect(!board.isOpen, "neither the scoreboard nor its end is worth a message")
    try outbox.send(.dropBoard(2), on: pair.first)
    var messages = received(pair.second)
    outbox.flush(on: pair.first)
    messages += received(pair.second)
    #expect(messages.suffix(2) == [.state, .dropBoard(2)])
    outbox.removeAll()
    #expect(!second.isOpen)
  }

  @Test func isBounded() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    var outbox = Outbox()
    _ = try fill(&outbox, pair.first)
    let order = SupervisorMessage.end(EndOrder(number: 1, .everything))
    for _ in 1..<Outbox.capacity { try outbox.send(order, on: pair.first) }
    #expect(throws: SystemCallError.self) { try outbox.send(order, on: pair.first) }
    // Messages that must not be lost are accepted beyond the limit.
    try outbox.send(Self.retirement, on: pair.first)
    #expect(outbox.retirementDeadline != nil)
    outbox.removeAll()
    #expect(outbox.isEmpty)
  }

  @Test func aPeerThatIsGoneIsAnErrorAndLeavesNothing() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let own = pair.first
    var outbox = Outbox()
    _ = try fill(&outbox, own)
    try outbox.send(Self.retirement, on: own)
    _ = consume pair.second
    outbox.flush(on: own)
    #expect(outbox.isEmpty && outbox.retirementDeadline == nil)
    #expect(throws: SystemCallError.self) { try outbox.send(Self.retirement, on: own) }
    #expect(outbox.isEmpty)
  }
}
