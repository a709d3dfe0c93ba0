import Control
import Monitoring
import Testing

/// Answers as lines.
@Suite(.timeLimit(.minutes(30))) struct ControlAnswerTests {
  private static var status: StatusReport {
    var service = ServiceStatus(name: "hello", state: .announcing)
    service.remaining = .milliseconds(2500)
    service.addresses = [.init("127.0.0.1:2345", isDatagram: false), .init("[::1]:2345", isDatagram: true)]
    service.active = 3
    service.limit = 256
    service.accepted = 1 << 52
    service.ended = 7
    service.refused = [.init("allow-and-deny", 1), .init("rate", 0)]
    service.droppedRecords = 2
    service.datagrams = .init(answered: 9, refused: [.init("rate", 4)], ignored: 5)
    service.listeners = [
      ListenerStatus(process: 12, generation: 2, role: .current, age: .seconds(5), active: 1),
      ListenerStatus(process: 11, generation: 1, role: .retiring, age: .seconds(50), active: 2),
    ]
    let daemon = DaemonStatus(
      version: "1.0", process: 10, state: .serving, age: .milliseconds(12_345), configuration: "/etc/x.toml",
      reloadAge: .seconds(3))
    return StatusReport(
      daemon: daemon, services: [service, ServiceStatus(name: "other", state: .failed)],
      denials: [
        Denial(network: "192.0.2.0/24", service: nil, remaining: nil),
        Denial(network: "::1/128", service: "hello", remaining: .seconds(60)),
      ])
  }

  private static func connection(_ slot: Int) -> ConnectionStatus {
    var connection = ConnectionStatus(
      id: ConnectionID(service: "hello", generation: 1, slot: slot, started: 5_000_000), process: 100, listener: 99,
      age: .milliseconds(1001))
    connection.peer = "192.0.2.7:51312"
    if slot == 1 { connection.via = "10.0.0.2:40000" }
    connection.received = 0
    connection.waiting = .firstByte
    return connection
  }

  private static var reload: ReloadReport {
    var report = ReloadReport(isDryRun: true, unchanged: 48)
    report.added = ["a"]
    report.changed = [.init("b", ["rate", "time zone"]), .init("c", [])]
    report.removed = ["d"]
    report.daemonKeys = ["drain-timeout"]
    report.needingRestart = ["log-target"]
    report.warnings = ["x.toml:1:1: odd"]
    return report
  }

  static let answers: [(ControlAnswer, ControlRequest.Name)] = [
    (.status(status), .status), (.connections(ConnectionReport([connection(0), connection(1)], omitted: 3)), .ps),
    (.connections(ConnectionReport([])), .ps), (.reload(reload), .reload),
    (.order(OrderReport("hello: drained", count: 1, problems: ["no"])), .drain),
    (.failure(ControlFailure("no", problems: ["a", "b"], exitStatus: 78)), .reload),
    (.failure(ControlFailure("\u{1b}ü")), .stop),
  ]

  @Test("are read as they were written", arguments: answers)
  func areReadAsWritten(answer: ControlAnswer, request: ControlRequest.Name) throws {
    let line = answer.line
    #expect(line.last == UInt8(ascii: "\n") && line.dropLast().allSatisfy { (0x20...0x7e).contains($0) })
    #expect(line.starts(with: "{\"version\":1,\"ok\":".utf8))
    #expect(try ControlAnswer(line: line.dropLast(), to: request) == answer)
  }

  @Test("show nothing for what is not known")
  func showNull() {
    let text = String(decoding: ControlAnswer.connections(ConnectionReport([Self.connection(4)])).line, as: UTF8.self)
    #expect(
      text == #"{"version":1,"ok":true,"connections":[{"id":"hello/1.4.3uw","service":"hello","generation":1,"slot":4,"#
        + #""peer":"192.0.2.7:51312","via":null,"name":null,"user":null,"pid":100,"listener":99,"age":1.001,"#
        + #""received":0,"sent":null,"waits-for":"first-byte"}],"omitted":0}"# + "\n")
  }

  @Test("have no more connections than there is room for, and count the others")
  func countOmitted() throws {
    let report = ConnectionReport((0..<40_000).map(Self.connection), omitted: 5)
    let line = ControlAnswer.connections(report).line
    #expect(line.count <= ControlLanguage.maxAnswerLength && line.count > ControlLanguage.maxAnswerLength - 1024)
    guard case .connections(let read) = try ControlAnswer(line: line.dropLast(), to: .ps) else {
      return #expect(Bool(false), "no connections")
    }
    #expect(read.connections == Array(report.connections.prefix(read.connections.count)))
    #expect(read.connections.count + read.omitted == 40_005)
  }

  @Test("that have no room become a failure")
  func areBounded() {
    let services = (0..<40_000).map { ServiceStatus(name: "service-\($0)", state: .serving) }
    var report = Self.status
    report.services = services
    let line = ControlAnswer.status(report).line
    #expect(String(decoding: line, as: UTF8.self).contains("the answer is longer than 4194304 bytes"))
  }

  @Test("of a newer begatd may have more members; those of another version are recognised")
  func otherVersions() throws {
    let newer = #"{"version":1,"ok":true,"message":"done","count":2,"problems":[],"more":{"a":[1]}}"#
    #expect(try ControlAnswer(line: Array(newer.utf8), to: .stop) == .order(OrderReport("done", count: 2)))
    #expect(throws: AnswerError.version(2)) { try ControlAnswer(line: Array(#"{"version":2}"#.utf8), to: .stop) }
    #expect(throws: AnswerError.malformed("\"version\" is missing")) {
      try ControlAnswer(line: Array("{}".utf8), to: .stop)
    }
    #expect(throws: AnswerError.malformed("\"count\" is missing or of another kind")) {
      try ControlAnswer(line: Array(#"{"version":1,"ok":true,"message":"m","count":"x"}"#.utf8), to: .stop)
    }
  }
}
