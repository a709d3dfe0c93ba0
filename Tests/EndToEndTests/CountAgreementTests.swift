import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// That every count of a connection is the same: the clients', status', the histogram's and the log's.
@Suite(.timeLimit(.minutes(30)))
struct CountAgreementTests {
  /// A service's row, as numbers.
  private struct Counts {
    var accepted = 0
    var ended = 0
    var active = 0
    var refused = 0
    var dropped = 0
    var outcomes: [String: Int] = [:]
    var buckets: [Int] = []
    var history = 0
    var refusedHistory = 0
    var bytesSent = 0

    init(_ row: [String: Any]) {
      accepted = row["accepted"] as? Int ?? -1
      ended = row["ended"] as? Int ?? -1
      active = row["active"] as? Int ?? -1
      refused = (row["refused"] as? [String: Int])?.values.reduce(0, +) ?? -1
      dropped = row["dropped-records"] as? Int ?? -1
      outcomes = row["outcomes"] as? [String: Int] ?? [:]
      buckets = (row["durations"] as? [String: Any])?["counts"] as? [Int] ?? []
      history = (row["history"] as? [Int])?.reduce(0, +) ?? -1
      refusedHistory = (row["refused-history"] as? [Int])?.reduce(0, +) ?? -1
      bytesSent = row["bytes-sent"] as? Int ?? -1
    }

    /// All that must never fall.
    var counters: [Int] {
      [accepted, ended, refused, dropped, bytesSent] + buckets + outcomes.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// Looks at a service again and again, and finds each count that is lower than before.
  private final class Observer {
    private let daemon: Daemon
    private let service: String
    private var last: [Int] = []

    init(_ daemon: Daemon, _ service: String) {
      self.daemon = daemon
      self.service = service
    }

    func look() throws -> Counts {
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let rows = (answer["services"] as? [[String: Any]] ?? []).filter { $0["name"] as? String == service }
      let counts = Counts(try #require(rows.first))
      if !last.isEmpty {
        #expect(zip(last, counts.counters).allSatisfy { $0 <= $1 }, "\(last) fell to \(counts.counters)")
      }
      last = counts.counters
      return counts
    }

    /// Waits until everything accepted has ended but the connections that are open.
    func settled(accepted: Int, open: Int) throws -> Counts {
      var counts = try look()
      let isMet = try eventually {
        counts = try look()
        return counts.accepted == accepted && counts.ended == accepted - open && counts.active == open
      }
      #expect(isMet, "accepted \(counts.accepted) of \(accepted), ended \(counts.ended), open \(counts.active)")
      return counts
    }
  }

  private static func configuration(_ line: String) -> String {
    SampleConfiguration.service("command", "deny = [\"127.0.0.9\"]", line)
  }

  /// The records of ended connections in the log.
  private static func records(_ daemon: Daemon) -> [String] { daemon.log.lines { $0.contains(/pid \d+ for 127\./) } }

  @Test func overRefusalsCrashesKillsAndAReload() throws {
    try withDaemon(Self.configuration("max-connections = 40")) { daemon in
      let address = try daemon.address("command")
      let observer = Observer(daemon, "command")
      for _ in 0..<20 { _ = try ask(address, "quit\n") }
      for _ in 0..<5 { _ = try? ask(address, from: "127.0.0.9") }
      _ = try observer.settled(accepted: 20, open: 0)

      let crowd = try Crowd(8, at: address)
      let processes = try daemon.awaitConnections(8, of: "command")
      for process in processes.prefix(3) { try Signal(rawValue: SIGSEGV).send(to: process) }
      for process in processes.dropFirst(3).prefix(2) { try Signal.kill.send(to: process) }
      _ = try observer.settled(accepted: 28, open: 3)

      // The open connections stay with the listener before; clients come meanwhile.
      let clients = ContinuousClients(2, at: address, asking: "quit\n") { $0.hasPrefix(Expected.banner) }
      try clients.await(more: 5)
      try daemon.reload(Self.configuration("max-connections = 41"))
      try clients.await(more: 5)
      let (answers, problems) = try clients.stop()
      #expect(problems == [])
      let came = 28 + answers.values.reduce(0, +)
      _ = try observer.settled(accepted: came, open: 3)
      crowd.hangUp()
      _ = try observer.settled(accepted: came, open: 0)

      // Connections end with their listener, without a record.
      let last = try Crowd(4, at: address)
      try Signal.kill.send(to: try daemon.listener("command"))
      for client in last.served { #expect(client.awaitEnd()) }
      _ = try observer.settled(accepted: came + 4, open: 0)
      _ = try ask(address, "quit\n")

      let counts = try observer.settled(accepted: came + 5, open: 0)
      #expect(counts.refused == 5 && counts.refusedHistory == 5 && counts.history == came + 5)
      #expect(counts.outcomes.values.reduce(0, +) == counts.ended && counts.buckets.reduce(0, +) == counts.ended)
      #expect(counts.outcomes["crashed"] == 3 && counts.outcomes["ended"] == 2 + 4)
      #expect(eventually { Self.records(daemon).count + counts.dropped == came + 1 })
      #expect(counts.bytesSent >= (came - 28) * Expected.banner.utf8.count)
    }
  }

  @Test func underOneNameThatIsGivenUpAndTakenAgain() throws {
    let other = SampleConfiguration.service("time")
    try withDaemon(other + Self.configuration("")) { daemon in
      let observer = Observer(daemon, "command")
      for _ in 0..<3 { _ = try ask(try daemon.address("command"), "quit\n") }
      _ = try observer.settled(accepted: 3, open: 0)
      try daemon.reload(other)
      try daemon.reload(other + Self.configuration(""))
      #expect(try observer.look().accepted == 3)
    }
  }

  @Test func ofReloads() throws {
    func reloads(_ daemon: Daemon) throws -> [String: Any] {
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      return try #require((answer["begatd"] as? [String: Any])?["reloads"] as? [String: Any])
    }
    try withDaemon(Self.configuration("")) { daemon in
      let before = try reloads(daemon)
      #expect(before["succeeded"] as? Int == 0 && before["refused"] as? Int == 0)
      #expect(before["last-succeeded"] is NSNull && before["last-age"] is NSNull)
      try daemon.reload(Self.configuration("max-connections = 3"))
      let good = try reloads(daemon)
      #expect(good["succeeded"] as? Int == 1 && good["last-succeeded"] as? Bool == true)
      try daemon.rewrite("nonsense")
      #expect(try daemon.begat("reload", "--dry-run").status == .exited(code: 78))
      #expect(try reloads(daemon)["refused"] as? Int == 0)
      #expect(try daemon.reload().contains("reload refused"))
      let bad = try reloads(daemon)
      #expect(bad["succeeded"] as? Int == 1 && bad["refused"] as? Int == 1 && bad["last-succeeded"] as? Bool == false)
      #expect((bad["last-age"] as? Double ?? -1) >= 0)
    }
  }

  @Test func ofClientsWhoseProgramCannotBeRun() throws {
    let directory = try TemporaryDirectory()
    let program = try directory.write("#!/bin/sh\n", to: "program")
    #expect(chmod(program, 0o755) == 0)
    let configuration = """
      [service.command]
      exec = ["\(program)"]
      listen-stream = ["127.0.0.1:0"]

      """
    try withDaemon(configuration) { daemon in
      let observer = Observer(daemon, "command")
      _ = try ask(try daemon.address("command"))
      #expect(unlink(program) == 0)
      for _ in 0..<2 { _ = try? ask(try daemon.address("command")) }
      let counts = try observer.settled(accepted: 3, open: 0)
      #expect(counts.outcomes["complete"] == 1 && counts.outcomes["failed"] == 2)
    }
  }
}
