import Control
import Monitoring
import Testing

@testable import Administration

/// `begat status SERVICE`.
@Suite struct ServiceTextTests {
  private static var service: ServiceStatus {
    var service = ServiceStatus(name: "time", state: .serving)
    service.addresses = [.init("127.0.0.1:37", isDatagram: false), .init("127.0.0.1:37", isDatagram: true)]
    service.active = 2
    service.limit = 9
    service.accepted = 1000
    service.ended = 998
    service.rates = Rates(second: 0.04, minute: 9.96, quarterHour: 1234.5)
    service.refused = [.init("rate", 1), .init("max-connections", 0), .init("deny", 2)]
    service.datagrams = .init(answered: 55, refused: [.init("rate", 4)], ignored: 1)
    service.outcomes = [OutcomeCount("complete", 990), OutcomeCount("crashed", 0), OutcomeCount("idle-timeout", 8)]
    service.durations = DurationHistogram(counts: [0, 600, 0, 300, 90, 0, 0, 0, 8], sum: .seconds(9))
    service.bytesSent = 4096
    service.droppedRecords = 3
    service.listeners = [
      .init(process: 10, generation: 2, role: .current, age: .seconds(70), active: 1),
      .init(process: 9, generation: 1, role: .retiring, age: .seconds(200), active: 1),
    ]
    return service
  }

  @Test("has a line for each topic")
  func topics() {
    #expect(
      ServiceText.text(Self.service, width: 80) == """
        time: serving +1
          address     127.0.0.1:37
                      127.0.0.1:37 (datagram)
          connections 2 of 9 open, 1000 accepted, 998 ended
          per second  <0.1 now, 10 in a minute, 1235 in 15 minutes
          refused     rate 1, deny 2
          datagrams   55 answered, 1 ignored, refused: rate 4
          ended by    complete 990, idle-timeout 8
          lasted      50 % under 10ms, 90 % under 1s, 99 % under 10s
          bytes       0 received, 4.0K sent
          unlogged    3 connections, by a log that could not keep up
          listener    process 10, current, 1 open, for 70s
                      process 9, retiring, 1 open, for 3m

        """)
  }

  @Test("wraps where the terminal is narrow", arguments: [40, 60, 80])
  func wraps(width: Int) {
    var service = Self.service
    service.refused = (1...20).map { .init("some-reason-\($0)", 5) }
    let lines = ServiceText.text(service, width: width).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
  }

  @Test("says how many lasted longer than can be told")
  func longDurations() {
    var service = Self.service
    service.durations = DurationHistogram(counts: [0, 0, 0, 0, 0, 0, 0, 5, 5], sum: .zero)
    #expect(
      ServiceText.text(service, width: 80).contains("50 % under 60m, 10 % over 60m, 1 % over 60m\n"))
  }

  @Test("the view selects services and says what it does not know")
  func selects() {
    let report = StatusReport(daemon: nil, services: [Self.service, ServiceStatus(name: "echo", state: .serving)])
    let output = ControlOutput(.status(report), command: "begat status", view: .services(["echo"]), width: 80)
    #expect(output.text.hasPrefix("echo: serving\n") && !output.text.contains("time") && output.exitStatus == 0)
    let unknown = ControlOutput(.status(report), command: "begat status", view: .services(["ecko"]))
    #expect(unknown.complaints == ["begat status: no service \"ecko\"; did you mean echo?"])
    #expect(unknown.exitStatus == ControlFailure.usage && unknown.text == "")
  }

  @Test(
    "rates",
    arguments: [(0, "0"), (0.01, "<0.1"), (0.06, "0.1"), (9.94, "9.9"), (9.96, "10"), (12345.6, "12346"), (.nan, "0")])
  func rates(rate: Double, text: String) { #expect(ColumnText.rate(rate) == text) }
}
