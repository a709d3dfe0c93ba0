import ControlProtocol
import Logging
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// The journal's entries, as a log daemon gets them.
@Suite(.timeLimit(.minutes(30))) final class JournalLogTests {
  private let daemon: Descriptor
  private let log: DatagramLog

  init() throws {
    let name = "begat-test-\(UInt64.random(in: 0...(.max)))"
    let address = SocketAddress.unixAbstract(Array(name.utf8))
    daemon = try DatagramSocket(address).release()
    log = try DatagramLog(.journal, at: address)
  }

  /// The next entry's fields.
  private func entry() throws -> [String: String] {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    defer { room.deallocate() }
    let count = try daemon.receive(into: room, waiting: false)
    let text = String(decoding: room[..<count], as: UTF8.self)
    #expect(text.hasSuffix("\n"))
    let fields = text.split(separator: "\n").map { line in
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]))
    }
    return Dictionary(uniqueKeysWithValues: fields)
  }

  private let source = RecordSource(service: "echo", sockets: [3: "127.0.0.1:7"])

  @Test("have documented fields about a connection")
  func haveFieldsAboutAConnection() throws {
    var record = ConnectionRecord(
      process: 4711, peer: .ipv4(IPv4Address(rawValue: 0xc000_0207), port: 51312), duration: .microseconds(3456),
      received: 0, sent: 26, outcome: .clientClosed)
    record.socket = 3
    record.ender = .client
    log.log([record], of: source)
    #expect(
      try entry() == [
        "MESSAGE": "echo: pid 4711 for 192.0.2.7:51312: 3 ms, received 0, sent 26 bytes, client closed",
        "PRIORITY": "6", "SYSLOG_IDENTIFIER": "begatd", "SYSLOG_FACILITY": "3",
        "MESSAGE_ID": "\(LogKind.connectionEnded.messageID!)", "BEGAT_SERVICE": "echo",
        "BEGAT_PEER": "192.0.2.7:51312", "BEGAT_LOCAL": "127.0.0.1:7", "BEGAT_CONNECTION_PID": "4711",
        "BEGAT_DURATION_USEC": "3456", "BEGAT_RECEIVED": "0", "BEGAT_SENT": "26", "BEGAT_OUTCOME": "client-closed",
        "BEGAT_ENDED_BY": "client",
      ])
  }

  @Test("tell a failed program's status, or a signal, and nothing that is not known or not to be shown")
  func tellStatusOrSignal() throws {
    var record = ConnectionRecord(
      process: 1, peer: nil, duration: .zero, received: nil, sent: nil, outcome: .exited(status: 7))
    record.addressForm = .none
    log.log([record], of: source)
    let failed = try entry()
    #expect(failed["PRIORITY"] == "4" && failed["MESSAGE_ID"] == "\(LogKind.connectionFailed.messageID!)")
    #expect(failed["BEGAT_OUTCOME"] == "exited" && failed["BEGAT_EXIT_STATUS"] == "7")
    for field in ["BEGAT_PEER", "BEGAT_LOCAL", "BEGAT_RECEIVED", "BEGAT_SENT", "BEGAT_SIGNAL"] {
      #expect(failed[field] == nil, "\(field)")
    }
    record.outcome = .ended(by: .terminate)
    record.ender = .administrator
    log.log([record], of: source)
    let ended = try entry()
    #expect(ended["PRIORITY"] == "6" && ended["BEGAT_SIGNAL"] == "SIGTERM")
    #expect(ended["BEGAT_OUTCOME"] == "ended" && ended["BEGAT_ENDED_BY"] == "administrator")
    record.event = .opened
    log.log([record], of: source)
    let opened = try entry()
    #expect(opened["MESSAGE"] == "echo: pid 1 for -: opened" && opened["BEGAT_OUTCOME"] == nil)
  }

  @Test("carry lines of programs with their connections")
  func carryLinesOfPrograms() throws {
    var record = ConnectionRecord(
      process: 4711, peer: .ipv4(.loopback, port: 5), duration: .zero, received: nil, sent: nil, outcome: .complete)
    record.socket = 3
    log.log(UntrustedBytes(text: "a word\u{1b}\nforged=1"), of: record, source)
    #expect(
      try entry() == [
        "MESSAGE": "echo: pid 4711 for 127.0.0.1:5: program: a word\\x1b\\x0aforged=1", "PRIORITY": "5",
        "SYSLOG_IDENTIFIER": "begatd", "SYSLOG_FACILITY": "3",
        "MESSAGE_ID": "\(LogKind.programLine.messageID!)", "BEGAT_SERVICE": "echo", "BEGAT_PEER": "127.0.0.1:5",
        "BEGAT_LOCAL": "127.0.0.1:7", "BEGAT_CONNECTION_PID": "4711",
      ])
  }

  @Test("say how many were lost before, and count them")
  func sayHowManyWereLost() throws {
    let logger = Logger(label: "test") { _ in log }
    var count = 0
    while log.lostMessages < 5, count < 100_000 {
      logger.info("fills the queue")
      count += 1
    }
    #expect(log.lostMessages == 5)
    // A message that says so finds no room either, and is none of them.
    for _ in 0..<(count - 5) { #expect(try entry()["MESSAGE"] == "fills the queue") }
    logger.info("works again", metadata: .kind(.stopping))
    let lost = try entry()
    #expect(lost["MESSAGE"] == LineFormat.lossText(5) && lost["MESSAGE_ID"] == "\(LogKind.messagesLost.messageID!)")
    let next = try entry()
    #expect(next["MESSAGE"] == "works again" && next["MESSAGE_ID"] == "\(LogKind.stopping.messageID!)")
    #expect(log.lostMessages == 5)
  }

  @Test("are sent many at a time, in their order, and those that are not taken are counted")
  func areSentManyAtATime() throws {
    let records = (1...300).map {
      ConnectionRecord(process: $0, peer: nil, duration: .zero, received: 1, sent: 2, outcome: .complete)
    }
    log.log(records, of: source)
    var processes: [String] = []
    while let entry = try? entry() { processes.append(entry["BEGAT_CONNECTION_PID"] ?? "") }
    #expect(processes == (1...300).prefix(processes.count).map(String.init))
    #expect(!processes.isEmpty && UInt64(processes.count) + log.lostMessages == 300)
  }

  @Test("reach a daemon that was started anew")
  func reachADaemonThatWasStartedAnew() throws {
    let address = SocketAddress.unixAbstract(Array("begat-test-\(UInt64.random(in: 0...(.max)))".utf8))
    var first: Descriptor? = try DatagramSocket(address).release()
    let log = try DatagramLog(.journal, at: address)
    let record = ConnectionRecord(process: 1, peer: nil, duration: .zero, received: 1, sent: 2, outcome: .complete)
    log.log([record], of: source)
    _ = first.take()
    log.log([record], of: source)
    #expect(log.lostMessages == 1)
    let second = try DatagramSocket(address).release()
    log.log([record, record], of: source)
    var count = 0
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    defer { room.deallocate() }
    while let size = try? second.receive(into: room, waiting: false), size > 0 { count += 1 }
    // With one that says what was lost.
    #expect(count == 3 && log.lostMessages == 1)
  }

  @Test("have times with milliseconds and a zone in lines")
  func haveTimes() {
    func text(_ clock: inout LogClock, _ instant: Int64) -> String {
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
        var text = ByteWriter(room)
        clock.write(instant, to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
      }
    }
    var clock = LogClock(separator: "T")
    let second: Int64 = 1_770_445_696
    let local = LocalTime(secondsSince1970: second)!.iso8601
    #expect(text(&clock, second * 1_000_000_000 + 42_999_999) == "\(local.prefix(19)).042\(local.dropFirst(19))")
    #expect(text(&clock, second * 1_000_000_000 + 999_000_000) == "\(local.prefix(19)).999\(local.dropFirst(19))")
    let next = LocalTime(secondsSince1970: second + 1)!.iso8601
    #expect(text(&clock, (second + 1) * 1_000_000_000) == "\(next.prefix(19)).000\(next.dropFirst(19))")
  }
}
