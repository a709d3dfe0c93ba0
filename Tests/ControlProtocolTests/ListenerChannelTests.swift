import CSharedLayouts
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite struct ListenerChannelTests {
  private func listenerMessage(_ bytes: [UInt8]) -> ListenerMessage? {
    bytes.withUnsafeBytes { ListenerChannel.listenerMessage($0) }
  }

  private func supervisorMessage(_ bytes: [UInt8]) -> SupervisorMessage? {
    bytes.withUnsafeBytes { ListenerChannel.supervisorMessage($0) }
  }

  @Test("carries what a listener says")
  func carriesWhatAListenerSays() throws {
    let channel = try Channel()
    try ListenerChannel.sendReady(on: channel.listener)
    try ListenerChannel.sendAlive(4_000_000_000, on: channel.listener)
    try ListenerChannel.sendLog(.warning, "no name\n\u{1b}", on: channel.listener)
    try ListenerChannel.sendLog(.info, "", on: channel.listener)
    #expect(listenerMessage(try channel.receive()) == .ready)
    #expect(listenerMessage(try channel.receive()) == .alive(4_000_000_000))
    #expect(listenerMessage(try channel.receive()) == .log(.warning, UntrustedBytes(text: "no name\n\u{1b}")))
    #expect(listenerMessage(try channel.receive()) == .log(.info, UntrustedBytes(text: "")))
  }

  @Test("carries what begatd says")
  func carriesWhatBegatdSays() throws {
    let channel = try Channel()
    try ListenerChannel.send(.question(7), on: channel.supervisor)
    let bytes = try channel.receive(atSupervisor: false)
    #expect(supervisorMessage(bytes) == .question(7))
    #expect(listenerMessage(bytes) == nil)
  }

  @Test("cuts a text that is too long, not below 2,000 bytes")
  func cutsLongTexts() throws {
    let channel = try Channel()
    try ListenerChannel.sendLog(.error, String(repeating: "x", count: 100_000), on: channel.listener)
    guard case .log(.error, let text) = listenerMessage(try channel.receive()) else {
      Issue.record("no log line came")
      return
    }
    #expect((2000...2048).contains(text.count) && text.escaped.allSatisfy { $0 == "x" })
  }

  @Test("never waits for its reader")
  func neverWaits() throws {
    let channel = try Channel()
    var failure: SystemCallError?
    for _ in 0..<100_000 where failure == nil {
      do throws(SystemCallError) { try ListenerChannel.sendReady(on: channel.listener) } catch { failure = error }
    }
    #expect(failure?.code == .wouldBlock)
  }

  @Test("reads nothing from another version, another kind or a part")
  func readsNothingElse() throws {
    let channel = try Channel()
    try ListenerChannel.sendLog(.error, "x", on: channel.listener)
    let good = try channel.receive()
    #expect(listenerMessage(good) == .log(.error, UntrustedBytes(text: "x")))
    for length in 0..<8 { #expect(listenerMessage(Array(good.prefix(length))) == nil) }
    for version: UInt8 in [0, 2, 255] { #expect(listenerMessage([version, 0] + good.dropFirst(2)) == nil) }
    for kind: UInt8 in [0, 6, 255] { #expect(listenerMessage(good.prefix(2) + [kind] + good.dropFirst(3)) == nil) }
    for severity: UInt8 in [0, 1, 2, 8] {
      #expect(listenerMessage(good.prefix(4) + [severity] + good.dropFirst(5)) == nil)
    }
  }

  @Test("believes no wrong count of records")
  func believesNoWrongCount() throws {
    let channel = try Channel()
    var batch = try RecordBatch()
    var random = SeededRandom(state: 4)
    let records = (0..<3).map { _ in ConnectionRecord.random(using: &random) }
    for record in records { batch.append(record) }
    #expect(batch.flush(lent: channel.listener.number) == 0)
    let good = try channel.receive()
    #expect(listenerMessage(good) == .connections(records))
    for length in 8..<good.count { #expect(listenerMessage(Array(good.prefix(length))) == nil) }
    #expect(listenerMessage(good + [0]) == nil)
    for count: [UInt8] in [[0, 0, 0, 0], [2, 0, 0, 0], [4, 0, 0, 0], [65, 0, 0, 0], [255, 255, 255, 255]] {
      #expect(listenerMessage(good.prefix(4) + count + good.dropFirst(8)) == nil)
    }
  }

  @Test("survives any bytes")
  func survives() {
    var random = SeededRandom(state: 5)
    for _ in 0..<50_000 {
      var bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      // Half of them with a header that may be right.
      if Bool.random(using: &random), bytes.count >= 8 {
        bytes.replaceSubrange(
          0..<8, with: [1, 0, .random(in: 0...6, using: &random), 0, .random(in: 0...5, using: &random), 0, 0, 0])
      }
      switch listenerMessage(bytes) {
      case .connections(let records): #expect(records.count <= 4)
      case .log(_, let text):
        #expect(text.escaped(doublingBackslashes: false).utf8.allSatisfy { (0x20...0x7e).contains($0) })
      case .ready, .alive, nil: break
      }
      _ = supervisorMessage(bytes)
    }
  }
}
