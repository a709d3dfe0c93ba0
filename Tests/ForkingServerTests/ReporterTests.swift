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
      #expect(next(&reporter) == .begin(clearing: 3) && next(&reporter) == .question(1) && next(&reporter) == nil)
    }
  }

  /// The next message; nil where there is none.
  private func next(_ reporter: inout Reporter) -> SupervisorMessage? {
    switch reporter.nextMessage() {
    case .message(let message, _): message
    case .empty: nil
    case .closed: nil
    }
  }

  @Test("takes files where they are welcome, and drops them elsewhere", arguments: [true, false])
  func takesFiles(areWelcome: Bool) throws {
    try withReporter { reporter, ends in
      reporter.takesFiles = areWelcome
      let pipe = try PipeEnds()
      let reader = pipe.readEnd
      try ListenerChannel.send(.board(3), passing: SharedFile(pipe.writeEnd), on: ends.supervisor)
      switch reporter.nextMessage() {
      case .message(let message, let file):
        let hasFile = file != nil
        #expect(message == .board(3) && hasFile == areWelcome)
      case .empty: Issue.record("no message")
      case .closed: Issue.record("no channel")
      }
      let isClosed = reader.wait(for: .readable, until: .now)
      #expect(isClosed)
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
