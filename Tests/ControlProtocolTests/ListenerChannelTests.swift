import Admission
import CSharedLayouts
import Settings
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
    try ListenerChannel.sendLog(.info, "", .clientsWait, on: channel.listener)
    try ListenerChannel.sendRetired(on: channel.listener)
    try ListenerChannel.sendEnded(4_000_000_001, count: 5, on: channel.listener)
    #expect(listenerMessage(try channel.receive()) == .ready)
    #expect(listenerMessage(try channel.receive()) == .alive(4_000_000_000))
    #expect(listenerMessage(try channel.receive()) == .log(.warning, .other, UntrustedBytes(text: "no name\n\u{1b}")))
    #expect(listenerMessage(try channel.receive()) == .log(.info, .clientsWait, UntrustedBytes(text: "")))
    #expect(listenerMessage(try channel.receive()) == .retired)
    #expect(listenerMessage(try channel.receive()) == .ended(4_000_000_001, count: 5))
  }

  private static let orders: [EndOrder.Selection] = [
    .everything, .connection(process: 4711, slot: 3, started: 1 << 60), .source(IPNetwork(IPv4Address.loopback)),
    .source(IPNetwork(IPv6Address(high: 0x2001_0db8_0000_0000, low: 0), prefixLength: 32)), .startedBefore(1 << 61),
  ]

  @Test(
    "carries what begatd says",
    arguments: [
      .question(7), .dropBoard(4_000_000_000), .begin(clearing: 0), .begin(clearing: 15), .clear(4),
      .retire(Retirement(closesSockets: false, drainTimeout: .seconds(30))),
      .retire(Retirement(closesSockets: true, drainTimeout: .zero)),
      .retire(Retirement(closesSockets: true, drainTimeout: .zero, endsPrograms: true)),
      .retire(Retirement(closesSockets: false, drainTimeout: .zero, hurries: true, endsPrograms: true)),
      .retire(.hurried),
    ] + orders.map { SupervisorMessage.end(EndOrder(number: 9, $0)) })
  func carriesWhatBegatdSays(_ message: SupervisorMessage) throws {
    let channel = try Channel()
    try ListenerChannel.send(message, on: channel.supervisor)
    let bytes = try channel.receive(atSupervisor: false)
    #expect(supervisorMessage(bytes) == message)
    #expect(listenerMessage(bytes) == nil)
    #expect(supervisorMessage(Array(bytes.dropLast())) == nil)
    for length in 0..<8 { #expect(supervisorMessage(Array(bytes.prefix(length))) == nil) }
  }

  @Test("carries files with the messages that announce them", arguments: [.state, .board(7)] as [SupervisorMessage])
  func carriesFiles(message: SupervisorMessage) throws {
    let channel = try Channel()
    let pipe = try PipeEnds()
    let reader = pipe.readEnd
    let file = SharedFile(pipe.writeEnd)
    try ListenerChannel.send(message, passing: file, on: channel.supervisor)
    var received = try channel.listener.receive(maxCount: 64, maxPassed: 1, until: .now)
    let bytes = received.bytes
    #expect(supervisorMessage(bytes) == message)
    try received.descriptors.takeFirst()?.writeAll("x")
    let isWritten = reader.wait(for: .readable, until: .now)
    #expect(isWritten)
    // Without its file such a message is not sent.
    try ListenerChannel.send(message, on: channel.supervisor)
    let isAnythingSent = channel.listener.wait(for: .readable, until: .now)
    #expect(!isAnythingSent)
  }

  @Test("reads an order only with all of its body, and only a selection that it knows")
  func readsWholeOrdersOnly() throws {
    let channel = try Channel()
    try ListenerChannel.send(
      .end(EndOrder(number: 1, .source(IPNetwork(IPv4Address.loopback)))), on: channel.supervisor)
    let order = try channel.receive(atSupervisor: false)
    for length in 0..<order.count { #expect(supervisorMessage(Array(order.prefix(length))) == nil) }
    // A later version may have appended something.
    #expect(supervisorMessage(order + [0]) == supervisorMessage(order))
    let selection = 8 + 16
    #expect(order[selection] == 2)
    var unknown = order
    unknown[selection] = 4
    #expect(supervisorMessage(unknown) == nil)
    var broken = order
    broken[selection + 8] = UInt8(ascii: "x")
    #expect(supervisorMessage(broken) == nil)

    try ListenerChannel.send(
      .retire(Retirement(closesSockets: true, drainTimeout: .seconds(1))), on: channel.supervisor)
    let retirement = try channel.receive(atSupervisor: false)
    for length in 0..<retirement.count { #expect(supervisorMessage(Array(retirement.prefix(length))) == nil) }
  }

  @Test("keeps a drain timeout within what clocks can have", arguments: [Duration.seconds(1 << 60), .seconds(-5)])
  func limitsTheDrainTimeout(_ timeout: Duration) throws {
    let channel = try Channel()
    try ListenerChannel.send(
      .retire(Retirement(closesSockets: false, drainTimeout: timeout)), on: channel.supervisor)
    guard case .retire(let read) = supervisorMessage(try channel.receive(atSupervisor: false)) else {
      Issue.record("no retirement came")
      return
    }
    #expect(read.drainTimeout >= .zero && read.drainTimeout <= .seconds(366 * 86_400))
  }

  @Test("cuts a text that is too long, not below 2,000 bytes")
  func cutsLongTexts() throws {
    let channel = try Channel()
    try ListenerChannel.sendLog(.error, String(repeating: "x", count: 100_000), on: channel.listener)
    guard case .log(.error, .other, let text) = listenerMessage(try channel.receive()) else {
      Issue.record("no log line came")
      return
    }
    #expect((2000...2048).contains(text.count) && text.escaped.allSatisfy { $0 == "x" })
  }

  @Test("carries lines of programs with the connections that they belong to")
  func carriesLinesOfPrograms() throws {
    let channel = try Channel()
    let native = begat_record(
      .ended, process: 7, peer: PeerFields(.ipv4(.loopback, port: 5)), user: 0, socket: 3, text: PeerText(.full))
    func send(_ text: String) throws {
      var text = text
      try text.withUTF8 { line in
        try ListenerChannel.sendProgramLine(UnsafeRawBufferPointer(line), of: native, on: channel.listener)
      }
    }
    try send("a word\u{1b}")
    let good = try channel.receive()
    guard case .program(let record, let line) = listenerMessage(good) else {
      Issue.record("no line came")
      return
    }
    #expect(record == ConnectionRecord(native) && line == UntrustedBytes(text: "a word\u{1b}"))
    for length in 8..<(8 + 72) { #expect(listenerMessage(Array(good.prefix(length))) == nil) }
    try send(String(repeating: "x", count: 100_000))
    guard case .program(_, let cut) = listenerMessage(try channel.receive()) else {
      Issue.record("no line came")
      return
    }
    #expect(cut.count == 1500)
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

  /// A message as another version would have sent it.
  private func foreign(_ bytes: [UInt8], _ version: UInt8) -> [UInt8] { [version, 0] + bytes.dropFirst(2) }

  @Test("reads all that hands clients over in every version, and what is appended to it", arguments: [0, 1, 99, 255])
  func readsFrozenKinds(version: UInt8) throws {
    let channel = try Channel()
    try ListenerChannel.sendReady(on: channel.listener)
    try ListenerChannel.sendAlive(7, on: channel.listener)
    try ListenerChannel.sendRetired(on: channel.listener)
    try ListenerChannel.sendEnded(9, count: 5, on: channel.listener)
    try ListenerChannel.sendLog(.info, "x", .clientsWait, on: channel.listener)
    for message: ListenerMessage in [
      .ready, .alive(7), .retired, .ended(9, count: 5), .log(.info, .clientsWait, UntrustedBytes(text: "x")),
    ] {
      let bytes = foreign(try channel.receive(), version)
      #expect(listenerMessage(bytes) == message)
      if case .log = message { continue }
      #expect(listenerMessage(bytes + [1, 2, 3]) == message)
    }
    let orders: [SupervisorMessage] =
      [.question(7), .begin(clearing: 15), .clear(4), .retire(.hurried)]
      + Self.orders.map { .end(EndOrder(number: 9, $0)) }
    for order in orders {
      try ListenerChannel.send(order, on: channel.supervisor)
      let bytes = foreign(try channel.receive(atSupervisor: false), version)
      #expect(supervisorMessage(bytes) == order)
      #expect(supervisorMessage(bytes + [1, 2, 3]) == order)
    }
  }

  @Test("counts the records that only another version can read, and ignores the rest")
  func countsForeignRecords() throws {
    let channel = try Channel()
    for (kind, value, records) in [(3, 5, 5), (3, 255, 20), (12, 5, 0), (200, 5, 0)] as [(UInt8, UInt8, Int)] {
      let message = [99, 0, kind, 0, value, 0, 0, 0] + Array(repeating: 0x22, count: 12) as [UInt8]
      #expect(listenerMessage(message) == .foreign(records: records))
      #expect(supervisorMessage(message) == nil)
    }
    let file = SharedFile(try MemoryFile.create(name: "page", size: 1))
    for message: SupervisorMessage in [.state, .board(7), .dropBoard(7), .nameRequests] {
      try ListenerChannel.send(message, passing: file, on: channel.supervisor)
      #expect(supervisorMessage(foreign(try channel.receive(atSupervisor: false), 99)) == nil)
    }
    // What a severity or a kind of message means is another matter than how they are written.
    let log = [99, 0, 4, 0, 6, 200, 1, 0] + Array("x".utf8)
    #expect(listenerMessage(log) == .log(.info, .other, UntrustedBytes(text: "x")))
  }

  @Test("reads nothing of its own version that is of another kind or a part")
  func readsNothingElse() throws {
    let channel = try Channel()
    try ListenerChannel.sendLog(.error, "x", on: channel.listener)
    let good = try channel.receive()
    #expect(listenerMessage(good) == .log(.error, .other, UntrustedBytes(text: "x")))
    for length in 0..<8 { #expect(listenerMessage(Array(good.prefix(length))) == nil) }
    for kind: UInt8 in [0, 6, 13, 255] { #expect(listenerMessage(good.prefix(2) + [kind] + good.dropFirst(3)) == nil) }
    for severity: UInt8 in [0, 1, 2, 8] {
      #expect(listenerMessage(good.prefix(4) + [severity] + good.dropFirst(5)) == nil)
    }
    #expect(listenerMessage(good.prefix(5) + [255] + good.dropFirst(6)) == nil)
    #expect(listenerMessage(good.prefix(6) + [1] + good.dropFirst(7)) == nil)
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
          0..<8, with: [3, 0, .random(in: 0...13, using: &random), 0, .random(in: 0...5, using: &random), 0, 0, 0])
      }
      switch listenerMessage(bytes) {
      case .connections(let records): #expect(records.count <= 4)
      case .log(_, _, let text), .program(_, let text):
        #expect(text.escaped(doublingBackslashes: false).utf8.allSatisfy { (0x20...0x7e).contains($0) })
      case .foreign(let records): #expect(records <= bytes.count)
      case .ready, .alive, .retired, .ended, nil: break
      }
      _ = supervisorMessage(bytes)
    }
  }
}
