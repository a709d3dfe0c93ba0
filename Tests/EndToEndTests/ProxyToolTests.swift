import Foundation
import Testing
@_spi(Begat) import UnixCore

/// The tools with services whose clients are named by proxies.
@Suite(.timeLimit(.minutes(30)))
struct ProxyToolTests {
  private static let configuration =
    SampleConfiguration.service(
      "echo", "proxy-from = [\"127.0.0.0/8\"]", "log = \"open\"", "max-connections-per-source = 2")
    + SampleConfiguration.service(
      "time", "proxy-from = [\"127.0.0.0/8\"]", "rate-per-source = \"1/h burst 4\"", "deny = [\"198.18.0.3\"]")

  private func target(_ daemon: Daemon, _ service: String) throws -> [String] {
    ["127.0.0.1", try daemon.port(service)]
  }

  @Test("ps, its JSON and the log show the client that connect claims, and the proxy", arguments: ["v1", "v2"])
  func showsClaims(version: String) throws {
    try withDaemon(Self.configuration) { daemon in
      let words = ["connect", "--proxy", version, "--from", "192.0.2.7:4000"] + (try target(daemon, "echo"))
      let connect = try RunningProgram(try Programs.begat(), words, input: .pipe)
      try connect.write("hello\n")
      #expect(connect.output.wait(within: .seconds(20)) { $0 == "hello\n" })
      let answer = try json(try daemon.begat("ps", "--json"), as: [String: Any].self)
      let connection = try #require((answer["connections"] as? [[String: Any]])?.first)
      let via = try #require(connection["via"] as? String)
      #expect(connection["peer"] as? String == "192.0.2.7:4000" && via.hasPrefix("127.0.0.1:"))
      let table = try daemon.begat("ps").output.text
      #expect(table.contains("VIA") && table.contains("192.0.2.7:4000  \(via)"), "\(table)")
      connect.endInput()
      #expect(try connect.awaitEnd() == .exited(code: 0))
      #expect(
        eventually {
          !daemon.log.lines { $0.contains(" for 192.0.2.7:4000 via \(via): ") && $0.hasSuffix(", complete") }.isEmpty
        })
      #expect(!daemon.log.lines { $0.hasSuffix(" for 192.0.2.7:4000 via \(via): opened") }.isEmpty)
    }
  }

  /// Five clients with four connections each, one of them denied: limits apply to the clients that the headers name.
  @Test("load meets the limits of every client that it claims", arguments: ["v1", "v2"])
  func meetsLimits(version: String) throws {
    try withDaemon(Self.configuration) { daemon in
      let place = try target(daemon, "time")
      let load = try daemon.begat(
        "load", "--proxy", version, "--sources", "5", "--connections", "50", "--concurrency", "4", "--json", place[0],
        place[1])
      let figures = try figures(load)
      #expect(figures["ok"] == 16 && figures["failed"] == 34 && figures["claimed_clients"] == 5, "\(load.output.text)")
    }
  }

  @Test("check explains what happens to a client behind a proxy")
  func checkExplains() throws {
    try withDaemon(Self.configuration) { daemon in
      let file = daemon.directory.path("begatd.toml")
      let admitted = try daemon.begat("check", "--config", file, "--from", "198.18.0.1", "--via", "127.0.0.9", "time")
      #expect(
        admitted.status == .exited(code: 0)
          && admitted.output.text.hasPrefix("198.18.0.1 via 127.0.0.9 to time: admitted\n"))
      let denied = try daemon.begat("check", "--config", file, "--from", "198.18.0.3", "--via", "127.0.0.9", "time")
      #expect(denied.status == .exited(code: 1) && denied.output.text.contains("service.time.deny"))
      let direct = try daemon.begat("check", "--config", file, "--from", "198.18.0.1", "time")
      #expect(direct.status == .exited(code: 1) && direct.output.text.contains("--via PROXY"))
      let alone = try daemon.begat("check", "--config", file, "--via", "127.0.0.9", "time")
      let user = try daemon.begat("check", "--config", file, "--from", "unix:root", "--via", "127.0.0.9", "time")
      #expect(alone.status == .exited(code: 64) && user.status == .exited(code: 64))
    }
  }
}
