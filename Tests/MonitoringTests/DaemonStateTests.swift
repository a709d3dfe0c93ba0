import CSharedLayouts
import ControlProtocol
import Testing
@_spi(Begat) import UnixCore

@testable import Monitoring

/// The state of begatd: written, read again, and made a report.
@Suite struct DaemonStateTests {
  /// One of which no field has its default.
  static var full: DaemonState {
    var state = DaemonState()
    state.version = "1.2.3"
    state.process = 10
    state.state = .announcing
    state.startTime = 1_000_000_000
    state.configuration = "/etc/begat/é.toml"
    state.reloadTime = 3_000_000_000
    state.reloads.succeeded = 4
    state.reloads.refused = 5
    state.reloads.lastSucceeded = false
    state.lastReloadTime = 4_000_000_000
    state.lostLogMessages = 6
    state.sandboxGaps = ["without Landlock"]
    state.services = [service("time"), ServiceState(name: "plain", state: .failed)]
    state.denials = [
      DenialState(network: "192.0.2.0/24", service: "time", endTime: 20_000_000_000),
      DenialState(network: "2001:db8::/32", service: nil, endTime: nil),
    ]
    state.omittedDenials = 7
    return state
  }

  private static func service(_ name: String) -> ServiceState {
    var service = ServiceState(name: name, state: .draining)
    service.endTime = 30_000_000_000
    service.isLeaving = true
    service.addresses = [.init("127.0.0.1:37", isDatagram: false), .init("127.0.0.1:37", isDatagram: true)]
    service.limit = 256
    service.answersDatagrams = true
    service.startTime = 2_000_000_000
    service.totals.accepted = 100
    service.totals.ended = 99
    service.totals.records = 98
    service.totals.recordsDropped = 97
    service.totals.datagramsAnswered = 96
    service.totals.datagramsIgnored = 95
    service.totals.endedByReload = 94
    service.totals.durationSum = 93
    service.totals.bytesReceived = 92
    service.totals.bytesSent = 91
    service.totals.refused = [1, 2, 3, 4, 5, 6]
    service.totals.datagramsRefused = [6, 5]
    service.totals.outcomes = Array(1...10)
    service.totals.durations = Array(11...19)
    service.totals.acceptedHistory.newest = 5
    service.totals.acceptedHistory.counts[5] = 50
    service.totals.refusedHistory.newest = 6
    service.totals.refusedHistory.counts[6] = 60
    service.totals.acceptedSeconds.newest = 7
    service.totals.acceptedSeconds.counts[1] = 70
    service.listeners = [
      ListenerState(process: 12, generation: 2, role: .current, startTime: 5_000_000_000, board: 9),
      ListenerState(process: 11, generation: 1, role: .retiring, startTime: 4_000_000_000, board: 8),
    ]
    service.unixAddress = "/run/time"
    service.isConfined = false
    return service
  }

  @Test func isReadAsItWasWritten() throws {
    let state = try #require(DaemonState(decoding: Self.full.encoded))
    #expect(state == Self.full)
    #expect(DaemonState(decoding: DaemonState().encoded) == DaemonState())
  }

  @Test func bytesThatAreMissingOrWrongAreNoState() {
    let bytes = Self.full.encoded
    for length in 0..<bytes.count where DaemonState(decoding: Array(bytes[..<length])) != nil {
      Issue.record("\(length) of \(bytes.count) bytes were read")
    }
    // A count of elements that there is no memory for.
    for place in stride(from: 0, to: bytes.count - 8, by: 3) {
      var wrong = bytes
      wrong.replaceSubrange(place..<(place + 8), with: Array(repeating: 0xff, count: 8))
      _ = DaemonState(decoding: wrong)
      wrong[place + 7] = 0x7f
      _ = DaemonState(decoding: wrong)?.report(now: .max) { _ in nil }
    }
  }

  @Test func agesBelongToTheInstantOfTheReport() throws {
    let report = Self.full.report(now: 10_000_000_000) { _ in nil }
    let daemon = try #require(report.daemon)
    #expect(daemon.age == .seconds(9) && daemon.reloadAge == .seconds(7) && daemon.reloads.lastAge == .seconds(6))
    #expect(daemon.lostLogMessages == 6 && daemon.state == .announcing && daemon.configuration == "/etc/begat/é.toml")
    let service = report.services[0]
    #expect(service.remaining == .seconds(20) && service.accepted == 100 && service.limit == 256)
    #expect(service.listeners.map(\.age) == [.seconds(5), .seconds(6)] && service.active == 0)
    #expect(report.denials.map(\.remaining) == [.seconds(10), nil] && report.omittedDenials == 7)
    // One that has ended meanwhile is none.
    let later = Self.full.report(now: 20_000_000_000) { _ in nil }
    #expect(later.denials.map(\.network) == ["2001:db8::/32"])
    #expect(metrics(later).contains("begat_denied_networks 8"))
  }

  @Test func scoreboardsAreCountedWhereTheStateNamesThem() throws {
    let object = try Scoreboard.create(slotCount: 4)
    let board = try Scoreboard(object, service: "time", slotCount: 4)
    board.header.pointee.accepted = 11
    board.header.pointee.active = 2
    board.slot(1).pointee.pid = 77
    let reader = try ScoreboardReader(object)
    let report = Self.full.report(now: 10_000_000_000) { $0 == 9 ? reader : nil }
    #expect(report.services[0].accepted == 111 && report.services[0].active == 2)
    #expect(report.services[0].listeners.map(\.active) == [2, 0] && report.services[1].accepted == 0)
    let list = Self.full.connections(atMost: 5, now: 10_000_000_000) { $0 == 9 ? reader : nil }
    #expect(list.connections.map(\.process) == [77] && list.connections.map(\.id.generation) == [2])
    #expect(Self.full.connections(of: "plain", atMost: 5, now: 0) { _ in reader }.connections.isEmpty)
  }

  @Test func namesEachObstacle() {
    var state = DaemonState()
    state.state = .serving
    state.services = ServiceStatus.State.allCases.map { ServiceState(name: "\($0)", state: $0) }
    #expect(
      state.readiness().obstacles.map(\.text) == [
        "service starting is starting", "service announcing has announced its drain", "service draining is draining",
        "service drained is drained", "service failed has failed",
      ])
    // A service that the configuration has given up is no obstacle.
    state.services = [ServiceState(name: "a", state: .serving), ServiceState(name: "b", state: .draining)]
    state.services[1].isLeaving = true
    #expect(state.readiness().isReady)
    for (daemon, line) in [
      (DaemonStatus.State.starting, "begatd is starting"), (.announcing, "begatd has announced its stop"),
      (.stopping, "begatd is stopping"), (.reloading, nil),
    ] {
      state.state = daemon
      #expect(state.readiness().obstacles.map(\.text) == [line].compactMap { $0 })
    }
  }
}
