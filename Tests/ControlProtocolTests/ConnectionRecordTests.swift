import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite struct ConnectionRecordTests {
  @Test("reads as a line of the log")
  func readsAsALine() {
    var record = ConnectionRecord(
      process: 4711, peer: .ipv4(IPv4Address(rawValue: 0xc000_0207), port: 51312), duration: .milliseconds(3),
      received: 0, sent: 26, outcome: .complete)
    #expect("\(record)" == "pid 4711 for 192.0.2.7:51312: 3 ms, received 0, sent 26 bytes, complete")
    record.peer = .unixUnnamed
    record.user = 1000
    record.duration = .milliseconds(9999)
    record.outcome = .crashed(by: Signal(rawValue: 11))
    #expect("\(record)" == "pid 4711 for uid 1000 at unix: 9999 ms, received 0, sent 26 bytes, crashed, SIGSEGV")
    record.peer = nil
    record.user = nil
    record.duration = .milliseconds(10_999)
    #expect("\(record)".hasPrefix("pid 4711 for unknown: 10 s, "))
  }

  @Test("shows no byte counts that are not known")
  func showsKnownCounts() {
    var record = ConnectionRecord(
      process: 1, peer: nil, duration: .zero, received: nil, sent: nil, outcome: .exited(status: 2))
    #expect("\(record)" == "pid 1 for unknown: 0 ms, exit status 2")
    record.received = 5
    #expect("\(record)" == "pid 1 for unknown: 0 ms, exit status 2")
    (record.received, record.sent) = (nil, 5)
    #expect("\(record)" == "pid 1 for unknown: 0 ms, exit status 2")
    (record.received, record.sent) = (0, 0)
    #expect("\(record)" == "pid 1 for unknown: 0 ms, received 0, sent 0 bytes, exit status 2")
  }

  @Test(
    "has an outcome that is a problem or not",
    arguments: [
      (.complete, false, "complete"), (.clientClosed, false, "client closed"),
      (.firstByteTimeout, false, "first-byte-timeout"), (.idleTimeout, false, "idle-timeout"),
      (.failed, true, "service failed"), (.ended(by: .terminate), true, "ended by SIGTERM"),
      (.stopped(by: .terminate), false, "ended by SIGTERM at the stop"),
      (.crashed(by: .realTime(1)!), true, "crashed, SIGRTMIN+1"), (.maxDuration, false, "max-duration"),
      (.exited(status: 1), true, "exit status 1"), (.exited(status: 255), true, "exit status 255"),
    ] as [(Outcome, Bool, String)])
  func hasAnOutcome(outcome: Outcome, isProblem: Bool, text: String) {
    #expect(outcome.isProblem == isProblem && "\(outcome)" == text)
    #expect(Outcome(outcome: outcome.code.outcome, detail: outcome.code.detail) == outcome)
  }

  @Test("has no outcome that is unknown", arguments: [10, 11, UInt16.max])
  func hasNoOtherOutcome(code: UInt16) { #expect(Outcome(outcome: code, detail: 0) == nil) }
}
