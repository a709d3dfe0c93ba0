import CSharedLayouts
import Settings
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
    record.via = .ipv4(IPv4Address(rawValue: 0x0a00_0002), port: 40_000)
    #expect("\(record)".hasPrefix("pid 4711 for 192.0.2.7:51312 via 10.0.0.2:40000: 3 ms, "))
    record.via = .unixUnnamed
    #expect(withText { record.write(to: &$0, at: "/run/x") }.hasPrefix("pid 4711 for 192.0.2.7:51312 via /run/x: "))
    record.addressForm = .prefix
    #expect("\(record)".hasPrefix("pid 4711 for 192.0.2.0/24 via unix: "))
    record.addressForm = .full
    record.via = nil
    record.peer = .unixUnnamed
    record.user = 1000
    record.duration = .milliseconds(9999)
    record.outcome = .crashed(by: Signal(rawValue: 11))
    #expect("\(record)" == "pid 4711 for uid 1000 at unix: 9999 ms, received 0, sent 26 bytes, crashed, SIGSEGV")
    let atSocket = withText { record.write(to: &$0, at: "/run/x") }
    #expect(atSocket == "pid 4711 for uid 1000 at /run/x: 9999 ms, received 0, sent 26 bytes, crashed, SIGSEGV")
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
    record.sent = 1
    #expect("\(record)" == "pid 1 for unknown: 0 ms, received 0, sent 1 byte, exit status 2")
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

  @Test("says who has ended it, unless that goes without saying")
  func saysWhoHasEndedIt() {
    func text(_ outcome: Outcome, _ ender: Ender) -> String {
      var record = ConnectionRecord(
        process: 1, peer: nil, duration: .zero, received: nil, sent: nil, outcome: outcome)
      record.ender = ender
      return "\(record)".replacing("pid 1 for unknown: 0 ms, ", with: "")
    }
    #expect(text(.complete, .service) == "complete")
    #expect(text(.clientClosed, .client) == "client closed")
    #expect(text(.ended(by: .terminate), .administrator) == "ended by SIGTERM, ordered by the administrator")
    #expect(text(.exited(status: 143), .administrator) == "exit status 143, ordered by the administrator")
    #expect(text(.ended(by: .kill), .signal) == "ended by SIGKILL")
    #expect(text(.stopped(by: .terminate), .drain) == "ended by SIGTERM at the stop")
    #expect(text(.exited(status: 1), .drain) == "exit status 1, at the stop")
    #expect(text(.maxDuration, .limit) == "max-duration")
  }

  @Test("is no problem if an administrator has ordered it")
  func isNoProblemIfOrdered() {
    #expect(ConnectionRecord.isProblem(.ended(by: .terminate), .signal))
    #expect(!ConnectionRecord.isProblem(.ended(by: .terminate), .administrator))
    #expect(!ConnectionRecord.isProblem(.complete, .service))
  }

  @Test("has a line for its beginning")
  func hasALineForItsBeginning() {
    var record = ConnectionRecord(
      process: 9, peer: .ipv4(.loopback, port: 7), duration: .zero, received: 0, sent: 0, outcome: .complete)
    record.event = .opened
    #expect("\(record)" == "pid 9 for 127.0.0.1:7: opened" && record.kind == .connectionOpened)
  }

  @Test("is refused with an event, a cause or a form that is unknown")
  func isRefusedWithOthers() {
    let known = begat_record(
      .ended, process: 1, peer: PeerFields(nil), user: 0, socket: 3, text: PeerText(.full))
    #expect(ConnectionRecord(known)?.socket == 3)
    for spoil: (inout begat_record) -> Void in [{ $0.event = 2 }, { $0.ender = 7 }, { $0.address_form = 3 }] {
      var record = known
      spoil(&record)
      #expect(ConnectionRecord(record) == nil)
    }
  }

  @Test("has no outcome that is unknown", arguments: [10, 11, UInt16.max])
  func hasNoOtherOutcome(code: UInt16) { #expect(Outcome(outcome: code, detail: 0) == nil) }
}
