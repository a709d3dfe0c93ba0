import Control
import JSON
import Monitoring
import Testing

@testable import Administration

/// Answers of a program that is no begatd: any number may stand in them.
@Suite(.timeLimit(.minutes(30))) struct ForgedAnswerTests {
  private static let numbers = [
    "1e300", "-1e300", "9223372036854775807", "-9223372036854775808", "0.5", "-1", "0", "1e18",
  ]

  private static var status: StatusReport {
    var service = ServiceStatus(name: "hello", state: .announcing)
    service.remaining = .milliseconds(2500)
    service.addresses = [.init("127.0.0.1:2345", isDatagram: false), .init("[::1]:2345", isDatagram: true)]
    service.limit = 256
    service.refused = [.init("allow-and-deny", 1), .init("rate", 1)]
    service.outcomes = [OutcomeCount("complete", 1), OutcomeCount("crashed", 1)]
    service.durations = DurationHistogram(counts: [1, 1, 1, 1, 1, 1, 1, 1, 1], sum: .milliseconds(1))
    service.datagrams = .init(answered: 9, refused: [.init("rate", 4), .init("rate-per-source", 4)], ignored: 5)
    service.listeners = (1...2).map {
      ListenerStatus(process: 12, generation: $0, role: .current, age: .seconds(5), active: 1)
    }
    let daemon = DaemonStatus(
      version: "1.0", process: 10, state: .serving, age: .seconds(1), configuration: "/etc/x.toml",
      reloadAge: .seconds(3))
    return StatusReport(
      daemon: daemon, services: [service, service],
      denials: [Denial(network: "192.0.2.0/24", service: nil, remaining: .seconds(1))])
  }

  private static var connections: ConnectionReport {
    var connection = ConnectionStatus(
      id: ConnectionID(service: "hello", generation: 1, slot: 1, started: 5_000_000), process: 100, listener: 99,
      age: .milliseconds(1001))
    connection.user = 1
    connection.received = 1
    connection.sent = 1
    return ConnectionReport([connection, connection], omitted: 3)
  }

  /// The line with `number` in the place of the numbers that `isChosen` takes, counted from 0; `version` stays.
  private static func forge(_ line: [UInt8], _ number: String, _ isChosen: (Int) -> Bool) throws -> [UInt8] {
    var count = 0
    func forge(_ value: JSONValue) throws -> String {
      switch value {
      case .integer, .number:
        defer { count += 1 }
        return isChosen(count) ? number : value.text
      case .array(let elements): return "[" + (try elements.map(forge)).joined(separator: ",") + "]"
      case .object(let members):
        let texts = try members.map { member in
          let isVersion = member.name == "version" && member.value == .integer(ControlLanguage.version)
          return "\"\(member.name)\":" + (isVersion ? member.value.text : try forge(member.value))
        }
        return "{" + texts.joined(separator: ",") + "}"
      default: return value.text
      }
    }
    return Array(try forge(try JSONReader.read(line)).utf8)
  }

  private static func show(_ line: [UInt8], _ request: ControlRequest.Name) -> Bool {
    guard let answer = try? ControlAnswer(line: line, to: request) else { return false }
    for view in [ControlView.whole, .services(["hello"])] {
      for width in [nil, 40, 80] { _ = ControlOutput(answer, command: "begat x", view: view, width: width).text }
    }
    if case .status(let report) = answer {
      var output: [UInt8] = []
      Metrics.append(report, to: &output)
      Page.append(report, to: &output)
    }
    return true
  }

  @Test("are shown or refused, and end nothing", arguments: numbers)
  func areShownOrRefused(number: String) throws {
    for (answer, request) in [
      (ControlAnswer.status(Self.status), ControlRequest.Name.status), (.connections(Self.connections), .ps),
    ] {
      let line = Array(answer.line.dropLast())
      #expect(Self.show(line, request))
      _ = Self.show(try Self.forge(line, number) { _ in true }, request)
      for index in 0..<400 { _ = Self.show(try Self.forge(line, number) { $0 == index }, request) }
      // Beside others of its kind a count may be as large as it can be.
      for index in 0..<400 { _ = Self.show(try Self.forge(line, number) { $0 >= index && $0 < index + 12 }, request) }
    }
  }
}
