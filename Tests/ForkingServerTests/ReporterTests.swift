import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

/// What begatd waits for reaches it, however long its channel was full.
@Suite struct ReporterTests {
  private struct Ends: ~Copyable {
    let supervisor: Descriptor

    func messages() -> [ListenerMessage] {
      var messages: [ListenerMessage] = []
      withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
        while let count = try? supervisor.receive(into: room, waiting: false), count > 0 {
          let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
          if let message = ListenerChannel.listenerMessage(bytes) { messages.append(message) }
        }
      }
      return messages
    }
  }

  private func withReporter(_ body: (inout Reporter, borrowing Ends) throws -> Void) throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let ends = Ends(supervisor: pair.second)
    var reporter = Reporter(channel: pair.first, name: "test")
    try body(&reporter, ends)
  }

  @Test("keeps answers until there is room for them")
  func keepsAnswers() throws {
    try withReporter { reporter, ends in
      while reporter.log(.info, "fills the channel") {}
      reporter.sayReady([])
      reporter.sayAlive(7)
      reporter.sayRetired()
      for number: UInt32 in 1...20 { reporter.sayEnded(EndOrder(number: number, .everything), count: Int(number)) }
      let owesAnswers = reporter.owesAnswers
      #expect(owesAnswers)
      let before = ends.messages()
      #expect(before.allSatisfy { if case .log = $0 { true } else { false } })
      var batch = try RecordBatch()
      reporter.report(&batch)
      let owesMore = reporter.owesAnswers
      #expect(!owesMore)
      let answers = ends.messages()
      #expect(answers.prefix(3) == [.ready, .alive(7), .retired])
      // Of the orders, the last ones.
      #expect(answers.dropFirst(3).prefix(16) == (5...20).map { ListenerMessage.ended($0, count: Int($0)) }[...])
    }
  }

  @Test("reads messages in their order, and passes over those that it cannot read")
  func readsInOrder() throws {
    try withReporter { reporter, ends in
      try ListenerChannel.send(.begin(clearing: 3), on: ends.supervisor)
      let nonsense: [UInt8] = [1, 2, 3]
      _ = try nonsense.withUnsafeBytes { try ends.supervisor.send($0, waiting: false) }
      try ListenerChannel.send(.question(1), on: ends.supervisor)
      guard case .message(.begin(clearing: 3)) = reporter.nextMessage(),
        case .message(.question(1)) = reporter.nextMessage(), case .empty = reporter.nextMessage()
      else {
        Issue.record("other messages")
        return
      }
    }
  }

  @Test("notices the end of the channel")
  func noticesTheEnd() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let reporter = Reporter(channel: pair.first, name: "test")
    _ = consume pair.second
    guard case .closed = reporter.nextMessage() else {
      Issue.record("not closed")
      return
    }
  }
}
