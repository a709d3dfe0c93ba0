import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct LoadReportTests {
  private func report(
    _ tally: LoadTally, address: SocketAddress = .ipv4(.loopback, port: 7), held: LoadReport.Held? = nil,
    proxy: LoadReport.Proxy? = nil, usesDatagrams: Bool = false, rate: Double? = nil
  ) -> LoadReport {
    LoadReport(
      address: address, usesDatagrams: usesDatagrams, concurrency: 16, offeredRate: rate,
      sources: proxy == nil ? 64 : 0, proxy: proxy, nanoseconds: 2_500_000_000, processor: 1_000_000_000,
      held: held ?? LoadReport.Held(wanted: 0, open: 0, failure: nil), tally: tally)
  }

  private var tally: LoadTally {
    var tally = LoadTally()
    for _ in 0..<5 {
      tally.count(.ok)
      tally.recordLatency(nanoseconds: 200_000)
    }
    tally.count(.other, code: .noMemory)
    tally.add(bytes: 130)
    return tally
  }

  @Test("shows people what was and nothing that was not")
  func showsATable() {
    let lines = report(tally).table.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "target        127.0.0.1:7, 16 at once, from 64 addresses", "connections   5 ok, 1 failed in 2.50 s",
        "rate          2.0/s", "received      130 bytes",
        "latency       min 200  p50 200  p90 200  p99 200  p99.9 200  max 200  µs",
        "other errors  1 (the first: Cannot allocate memory)", "generator     40 % of a processor",
      ])
    #expect(report(tally).hasFailures && !report(LoadTally()).hasFailures)
  }

  @Test("explains closed connections and used up ports")
  func explains() {
    var tally = LoadTally()
    tally.count(.empty)
    tally.count(.other, code: .addressNotAvailable)
    let lines = report(tally).table.split(separator: "\n").map(String.init)
    #expect(lines[1] == "connections   0 ok, 2 failed in 2.50 s")
    let limits = "--sources may avoid a limit per source, --expect-bytes 0 allows it"
    #expect(lines.contains("empty         1 (closed without a byte; \(limits))"))
    let advice = "; the local ports are used up: --sources)"
    #expect(lines.contains("other errors  1 (the first: \(ErrorCode.addressNotAvailable)\(advice)"))
  }

  @Test("shows which held connections are left, and fails where some are not")
  func showsHeld() {
    let failure = SystemCallError("connect", on: "x", code: .connectionRefused)
    let held = report(LoadTally(), held: LoadReport.Held(wanted: 3, open: 2, failure: failure))
    #expect(held.table.contains("held          2 of 3 until the end (connect x: Connection refused)"))
    #expect(held.hasFailures)
  }

  @Test("shows the rate that was asked for, and what began late or never")
  func showsTheOfferedRate() {
    var tally = tally
    (tally.delayed, tally.unbegun) = (7, 3)
    let report = report(tally, rate: 500)
    let lines = report.table.split(separator: "\n").map(String.init)
    #expect(lines[0] == "target        127.0.0.1:7, 500 begun in a second, at most 16 at once, from 64 addresses")
    #expect(lines.contains("delayed       7 (as many as --concurrency allows were under way)"))
    #expect(lines.contains("not begun     3 (as many as --concurrency allows were under way)"))
    #expect(report.json.contains("\"offered_rate\":500.0,") && report.json.contains("\"delayed\":7,\"not_begun\":3,"))
    var late = LoadTally()
    late.unbegun = 1
    #expect(self.report(late, rate: 0.5).hasFailures)
    #expect(self.report(late, rate: 0.5).table.contains(", 0.50 begun in a second,"))
    #expect(self.report(late, rate: 0.001).table.contains(", 0.001 begun in a second,"))
  }

  @Test("counts questions of datagrams")
  func countsQuestions() {
    var tally = LoadTally()
    tally.count(.empty)
    let report = report(tally, usesDatagrams: true)
    let lines = report.table.split(separator: "\n").map(String.init)
    #expect(lines[0] == "target        127.0.0.1:7 by datagrams, 16 at once, from 64 addresses")
    #expect(lines[1] == "questions     0 ok, 1 failed in 2.50 s")
    #expect(lines.contains("empty         1 (answers without a byte; --expect-bytes 0 allows them)"))
    #expect(report.json.contains("\"datagrams\":true,"))
  }

  @Test("names the clients that headers claim")
  func namesClients() {
    let one = report(tally, proxy: LoadReport.Proxy(version: .one, clients: 1))
    #expect(one.table.hasPrefix("target        127.0.0.1:7, 16 at once, for 1 client by PROXY v1\n"))
    let two = report(tally, proxy: LoadReport.Proxy(version: .two, clients: 500))
    #expect(two.table.hasPrefix("target        127.0.0.1:7, 16 at once, for 500 clients by PROXY v2\n"))
    #expect(two.json.contains("\"sources\":0,\"proxy\":\"v2\",\"claimed_clients\":500,"))
    #expect(report(tally).json.contains("\"proxy\":null,\"claimed_clients\":0,"))
  }

  @Test("is one line of JSON for programs, however strange the address")
  func isJSON() {
    let text = report(tally, address: .unixAbstract(Array("a\"\\\n".utf8))).json
    #expect(!text.contains("\n"))
    #expect(text.hasPrefix("{\"target\":\"@a\\\"\\\\\\\\\\\\x0a\",\"datagrams\":false,\"concurrency\":16,"))
    #expect(text.contains("\"seconds\":2.5,\"connections\":6,\"rate\":2.0,\"failed\":1,\"ok\":5,"))
    #expect(text.contains("\"other_errors\":1") && text.hasSuffix("\"latency_max\":200}"))
  }
}
