import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// That the log, with what it sums up and what it says it has lost, has as many connections as clients, status and metrics.
@Suite(.timeLimit(.minutes(30)))
struct LogAgreementTests {
  /// The connections of a service as the log has them.
  private struct Logged {
    /// Those that have a line of their own, and those that lines sum up, by their ends as words.
    var single: [String: Int] = [:]
    var summed: [String: Int] = [:]
    /// Those that are missing, as the log says.
    var missing = 0
    /// Those that ended with their listener.
    var withListener = 0
    var refused = 0

    init(_ lines: [String], of service: String) {
      for line in lines where line.contains(" begatd: \(service): ") {
        if let end = line.firstMatch(of: /: pid \d+ for [^ ]+: \d+ m?s, .*bytes?, ([^,]+.*)$/)?.1 {
          single[LogAgreementTests.word("\(end)"), default: 0] += 1
        } else if let counts = line.firstMatch(of: /without a line each: \d+ ended \(([^)]+)\)/)?.1 {
          for count in counts.split(separator: ", ") {
            let words = count.split(separator: " ")
            summed["\(words[1])", default: 0] += Int(words[0]) ?? 0
          }
        } else if let count = line.firstMatch(of: /had not reported (\d+) ended connection/)?.1 {
          missing += Int(count) ?? 0
        } else if let count = line.firstMatch(of: /: (\d+) ended connections? .*missing in this log/)?.1 {
          missing += Int(count) ?? 0
        } else if let count = line.firstMatch(of: #/ended, and (\d+) connections? with it/#)?.1 {
          withListener += Int(count) ?? 0
        } else if let count = line.firstMatch(of: #/: (\d+) connections? refused in/#)?.1 {
          refused += Int(count) ?? 0
        }
      }
    }

    var records: Int { single.values.reduce(0, +) }
    var sums: Int { summed.values.reduce(0, +) }
    func ended(_ word: String) -> Int { single[word, default: 0] + summed[word, default: 0] }
  }

  /// The word for an end of a line.
  private static func word(_ end: String) -> String {
    switch end {
    case "client closed": "client-closed"
    case _ where end.hasPrefix("crashed"): "crashed"
    case _ where end.hasPrefix("ended by"): end.hasSuffix("at the stop") ? "stopped" : "ended"
    default: end
    }
  }

  private static func configuration(_ lines: String...) -> String {
    SampleConfiguration.service("command", "deny = [\"127.0.0.9\"]", lines.joined(separator: "\n"))
  }

  private static func row(_ daemon: Daemon) throws -> [String: Any] {
    let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
    return try #require((answer["services"] as? [[String: Any]])?.first)
  }

  /// Waits until all but so many connections have ended, and returns the outcomes, the refusals and the dropped records.
  private static func settled(
    _ daemon: Daemon, accepted: Int, open: Int = 0
  ) throws -> (outcomes: [String: Int], refused: Int, dropped: Int) {
    var row: [String: Any] = [:]
    let isSettled = try eventually(within: .seconds(10)) {
      row = try self.row(daemon)
      return row["accepted"] as? Int == accepted && row["ended"] as? Int == accepted - open
    }
    #expect(isSettled, "accepted \(accepted), open \(open): \(row)")
    return (
      row["outcomes"] as? [String: Int] ?? [:], (row["refused"] as? [String: Int])?.values.reduce(0, +) ?? -1,
      row["dropped-records"] as? Int ?? -1
    )
  }

  @Test func overRefusalsCrashesKillsAndAReload() throws {
    let rate = "log-rate = \"5/s burst 5\""
    try withDaemon(Self.configuration(rate, "max-connections = 40")) { daemon in
      let address = try daemon.address("command")
      for _ in 0..<7 { _ = try? ask(address, from: "127.0.0.9") }
      let crowd = try Crowd(8, at: address)
      let processes = try daemon.awaitConnections(8, of: "command")
      let clients = ContinuousClients(3, at: address, asking: "quit\n") { $0.hasPrefix(Expected.banner) }
      try clients.await(more: 50)
      for process in processes[..<3] { try Signal(rawValue: SIGSEGV).send(to: process) }
      for process in processes[3..<5] { try Signal.kill.send(to: process) }
      try clients.await(more: 50)
      // The other three stay with the listener before.
      try daemon.reload(Self.configuration(rate, "max-connections = 41"))
      try clients.await(more: 50)
      #expect(try daemon.begat("end", "\(processes[5])").status == .exited(code: 0))
      let (answers, problems) = try clients.stop()
      #expect(problems == [])
      crowd.hangUp()
      let came = 8 + answers.values.reduce(0, +)
      let status = try Self.settled(daemon, accepted: came)
      let metrics = MetricSamples(try daemon.begat("status", "--prometheus").output.text)
      try daemon.stop()

      let logged = Logged(daemon.log.lines, of: "command")
      #expect(logged.sums >= 50 && logged.records >= 5, "nothing was summed up: \(logged)")
      #expect(logged.records + logged.sums + logged.missing == came, "\(came) clients, \(logged)")
      #expect(logged.missing == status.dropped && logged.withListener == 0)
      #expect(metrics.sum("begat_connections_accepted_total", service: "command") == Double(came))
      for word in status.outcomes.keys {
        let series = "begat_connections_ended_total{service=\"command\",outcome=\"\(word)\"}"
        #expect(metrics[series] == Double(status.outcomes[word] ?? -1), "\(word)")
        if status.dropped == 0 { #expect(logged.ended(word) == status.outcomes[word], "\(word): \(logged)") }
      }
      #expect(status.outcomes["crashed"] == 3 && status.outcomes["ended"] == 3)
      // Problems are never summed up; the end that the administrator has ordered is none.
      #expect(logged.summed["crashed"] == nil && logged.summed["ended", default: 0] <= 1)
      #expect(logged.refused == 7 && status.refused == 7)
      #expect(metrics.sum("begat_connections_refused_total", service: "command") == 7)
    }
  }

  /// begatd reports the connections that a killed listener had counted and not logged, and those that ended with it.
  @Test func whenAListenerIsKilled() throws {
    try withDaemon(Self.configuration("log-rate = \"1/h burst 1\"")) { daemon in
      let address = try daemon.address("command")
      for _ in 0..<20 { _ = try ask(address, "quit\n") }
      let crowd = try Crowd(3, at: address)
      _ = try Self.settled(daemon, accepted: 23, open: 3)
      try Signal.kill.send(to: try daemon.listener("command"))
      for client in crowd.served { #expect(client.awaitEnd()) }
      _ = try ask(address, "quit\n")
      let status = try Self.settled(daemon, accepted: 24)
      #expect(status.outcomes["complete"] == 21 && status.outcomes["ended"] == 3)
      try daemon.stop()
      let logged = Logged(daemon.log.lines, of: "command")
      #expect(logged.withListener == 3)
      #expect(logged.records + logged.sums + logged.missing + logged.withListener == 24, "\(daemon.log.text)")
      #expect(logged.missing == status.dropped)
    }
  }
}
