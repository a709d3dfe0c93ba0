import Control
import Monitoring
import Testing

@testable import Administration

/// Answers as people read them.
@Suite struct ControlOutputTests {
  @Test(
    "shows ages in their largest unit",
    arguments: [
      (0, "0s"), (99, "99s"), (100, "1m"), (5999, "99m"), (6000, "1h"), (359_999, "99h"), (360_000, "4d"),
      (315_360_000, "3650d"), (-5, "0s"),
    ] as [(Int64, String)])
  func showsAges(seconds: Int64, text: String) { #expect(ColumnText.age(.seconds(seconds)) == text) }

  @Test(
    "shows sizes in five characters",
    arguments: [
      (nil, "-"), (0, "0"), (1023, "1023"), (1024, "1.0K"), (10_239, "9.9K"), (10_240, "10K"), (1_048_575, "1023K"),
      (1_572_864, "1.5M"), (.max, "15E"),
    ] as [(UInt64?, String)])
  func showsSizes(count: UInt64?, text: String) { #expect(ColumnText.size(count) == text) }

  private static func connection(_ service: String, _ peer: String) -> ConnectionStatus {
    let id = ConnectionID(service: service, generation: 12, slot: 100, started: 9_000_000_000_000_000)
    var connection = ConnectionStatus(id: id, process: 4_194_304, listener: 7, age: .seconds(50))
    connection.peer = peer
    connection.received = 1_000_000
    connection.sent = 1_000_000
    connection.waiting = .firstByte
    return connection
  }

  @Test("keeps connections within 80 columns as long as names and addresses let it")
  func keepsWithin80Columns() throws {
    func lines(_ rows: ConnectionStatus..., width: Int? = 80) -> [Substring] {
      ConnectionText.text(ConnectionReport(rows), width: width).split(separator: "\n")
    }
    let short = lines(Self.connection("a", "192.0.2.7:51312"))
    #expect(short[0].split(separator: " ") == ["ID", "PID", "PEER", "AGE", "IN", "OUT", "WAITS", "FOR"])
    #expect(short[1].hasSuffix("  4194304  192.0.2.7:51312  50s  976K  976K  first-byte") && short[1].count <= 80)
    let long = lines(Self.connection("service", "[2001:db8:1:2:3:4:5:6]:51312"))
    #expect(long.allSatisfy { $0.count <= 80 })
    #expect(long[0].split(separator: " ") == ["ID", "PID", "PEER", "AGE", "WAITS", "FOR"])
    let longer = lines(Self.connection("other-service", "[2001:db8:1:2:3:4:5:6]:51312"))
    #expect(longer.allSatisfy { $0.count <= 80 })
    #expect(longer[0].split(separator: " ") == ["ID", "PEER", "AGE", "WAITS", "FOR"])
    // An id that is too long is left out: the process names the connection too.
    let name = String(repeating: "s", count: 64)
    let longest = lines(Self.connection(name, "[2001:db8:1:2:3:4:5:6]:51312"))
    #expect(longest.allSatisfy { $0.count <= 80 })
    #expect(longest[0].split(separator: " ") == ["SERVICE", "PID", "PEER", "AGE", "IN", "OUT", "WAITS", "FOR"])
    #expect(longest[1].contains("+  4194304  [2001:db8:1:2:3:4:5:6]:51312  50s  976K  976K"))
    let whole = lines(Self.connection(name, "[2001:db8:1:2:3:4:5:6]:51312"), width: nil)
    #expect(whole[1].hasPrefix(name + "/12.100.") && whole[1].hasSuffix("976K  976K  first-byte"))
  }

  @Test("shows the proxies of clients that came through one, if there is room")
  func showsProxies() throws {
    var proxied = Self.connection("a", "192.0.2.7:51312")
    proxied.via = "10.0.0.2:40000"
    let report = ConnectionReport([proxied, Self.connection("a", "192.0.2.8:1")])
    let wide = ConnectionText.text(report, width: 120).split(separator: "\n")
    #expect(wide[0].split(separator: " ") == ["ID", "PID", "PEER", "VIA", "AGE", "IN", "OUT", "WAITS", "FOR"])
    #expect(wide[1].contains("  192.0.2.7:51312  10.0.0.2:40000  50s") && wide[2].contains("  192.0.2.8:1      -  "))
    let narrow = ConnectionText.text(report, width: 80).split(separator: "\n")
    #expect(!narrow[0].contains("VIA") && narrow.allSatisfy { $0.count <= 80 })
  }

  @Test("escapes what came from others")
  func escapes() {
    let output = ControlOutput(.order(OrderReport("done \u{1b}[2J", count: 1, problems: ["é"])), command: "begat end")
    #expect(output.text == "done \\x1b[2J\n" && output.complaints == ["begat end: é"] && output.exitStatus == 1)
  }

  @Test("ends with the status of a failure, after its problems")
  func showsFailures() {
    let failure = ControlFailure("refused", problems: ["t.toml:1:1: odd"], exitStatus: 78)
    let output = ControlOutput(.failure(failure), command: "begat reload")
    #expect(output.text == "" && output.complaints == ["t.toml:1:1: odd", "begat reload: refused"])
    #expect(output.exitStatus == 78)
    #expect(ControlOutput(.failure(ControlFailure("x", exitStatus: 256)), command: "c").exitStatus == 1)
    #expect(ControlOutput(.failure(ControlFailure("x", exitStatus: 0)), command: "c").exitStatus == 1)
  }

  @Test("shows what a reload changes")
  func showsReloads() {
    var report = ReloadReport(isDryRun: false, unchanged: 7)
    report.added = ["a"]
    report.changed = [.init("b", ["rate", "log"]), .init("c", [])]
    report.removed = ["d"]
    report.daemonKeys = ["drain-timeout"]
    report.needingRestart = ["log-target"]
    report.warnings = ["t.toml:1:1: odd"]
    let output = ControlOutput(.reload(report), command: "begat reload")
    #expect(
      output.text == """
        added    a
        changed  b: rate, log
        changed  c
        removed  d
        changed  [daemon]: drain-timeout
        restart begatd for [daemon] log-target
        reloaded; 4 of 11 services changed

        """)
    #expect(output.complaints == ["warning: t.toml:1:1: odd"])
    let dry = ControlOutput(.reload(ReloadReport(isDryRun: true, unchanged: 2)), command: "begat reload")
    #expect(dry.text == "the configuration is right; 0 of 2 services would change\n")
  }

  @Test("shows services, retiring listeners, datagrams and denials")
  func showsStatus() {
    var service = ServiceStatus(name: "time", state: .announcing)
    service.remaining = .seconds(3)
    service.addresses = [
      .init("127.0.0.1:37", isDatagram: false), .init("[::1]:37", isDatagram: false),
      .init("127.0.0.1:37", isDatagram: true),
    ]
    service.active = 2
    service.limit = 9
    service.accepted = 100
    service.refused = [.init("rate", 1), .init("max-connections", 2)]
    service.rates = Rates(second: 0.5, minute: 12.4, quarterHour: 1000)
    service.datagrams = .init(answered: 55, refused: [.init("rate", 4)], ignored: 1)
    service.listeners = [.init(process: 1, generation: 1, role: .retiring, age: .zero, active: 1)]
    let daemon = DaemonStatus(
      version: "1.0", process: 10, state: .serving, age: .seconds(5), configuration: "/etc/x", reloadAge: .seconds(2))
    let denials = [
      Denial(network: "192.0.2.0/24", service: nil, remaining: nil),
      Denial(network: "::1", service: "time", remaining: .seconds(60)),
    ]
    let report = StatusReport(daemon: daemon, services: [service], denials: denials)
    #expect(
      StatusText.text(report, width: 80) == """
        begatd 1.0 (process 10): serving, for 5s
        configuration: /etc/x, read 2s ago

        SERVICE  STATE              OPEN  ACCEPTED  REFUSED  RATE  ADDRESS
        time     announcing, 3s +1   2/9       100        3   0.5  127.0.0.1:37
                                                                   [::1]:37
                                       -        55        4     -  127.0.0.1:37 udp

        REFUSED BY        SERVICE  COUNT
        rate              time         1
        max-connections   time         2
        rate (datagrams)  time         4

        DENIED        SERVICE   FOR
        192.0.2.0/24  (all)    ever
        ::1           time      60s

        """)
  }
}
