import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// Messages to a listener that does not read for a while.
@Suite(.timeLimit(.minutes(1))) struct OutboxTests {
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
