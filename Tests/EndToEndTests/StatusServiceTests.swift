import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `serve = "status"`: begatd's state over HTTP, without a question to begatd.
@Suite(.timeLimit(.minutes(30)))
struct StatusServiceTests {
  private static func page(_ lines: String..., name: String = "status") -> String {
    SampleConfiguration.service(name, lines.joined(separator: "\n"), serving: "status")
  }

  private func samples(_ daemon: Daemon) throws -> MetricSamples {
    MetricSamples(try WebAnswer("/metrics", at: try daemon.address("status")).body)
  }

  /// The samples, as soon as they are as wanted.
  private func samples(_ daemon: Daemon, once isWanted: (MetricSamples) -> Bool) throws -> MetricSamples {
    try MetricSamples.awaited(once: isWanted) { try samples(daemon) }
  }

  // MARK: Requests

  @Test func answersCurl() throws {
    try withDaemon({ directory in
      "[service.status]\nserve = \"status\"\nlisten-stream = [\"127.0.0.1:0\", \"\(directory.path("page"))\"]\n"
        + SampleConfiguration.service("time")
    }) { daemon in
      let address = try daemon.address("status", "127.")
      func curl(_ words: String...) throws -> String {
        try RunningProgram.tool("curl", ["--silent", "--show-error", "--max-time", "10"] + words).output.text
      }
      let page = try curl("--include", "http://\(address)/")
      let answer = try WebAnswer(page)
      #expect(answer.status == 200 && answer.fields["content-type"] == "text/html; charset=utf-8")
      #expect(answer.fields["content-length"] == "\(answer.body.utf8.count)" && answer.body.hasSuffix("</html>\n"))
      #expect(answer.fields["cache-control"] == "no-store" && answer.fields["x-content-type-options"] == "nosniff")
      #expect(answer.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
      #expect(answer.fields["date"]?.hasSuffix(" GMT") == true && answer.fields["connection"] == "close")
      let port = try daemon.port("status")
      #expect(try curl("http://localhost:\(port)/readyz") == "ready\n")
      #expect(try curl("--http1.0", "http://\(address)/healthz") == "ok\n")
      #expect(try curl("--proxy", "http://\(address)", "http://127.0.0.1:1/healthz?x") == "ok\n")
      #expect(try curl("--unix-socket", daemon.directory.path("page"), "http://any.name/readyz") == "ready\n")
      let head = try WebAnswer(try curl("--head", "http://\(address)/metrics"))
      #expect(head.status == 200 && head.body == "" && (Int(head.fields["content-length"] ?? "") ?? 0) > 1000)
      let post = try WebAnswer(try curl("--include", "--data", "x=1", "http://\(address)/"))
      #expect(post.status == 405 && post.fields["allow"] == "GET, HEAD")
      // DNS rebinding: the browser of a victim still says the name of the page that it has loaded.
      let rebound = try WebAnswer(
        try curl("--include", "--resolve", "evil.example:\(port):127.0.0.1", "http://evil.example:\(port)/status.json"))
      #expect(rebound.status == 421 && rebound.body.contains("server-names of [service.status]"))
      #expect(!rebound.body.contains("services\":"))
    }
  }

  @Test func answersToItsOwnNames() throws {
    try withDaemon(Self.page("server-names = [\"status.example.org\"]")) { daemon in
      let address = try daemon.address("status")
      for (host, status) in [("Status.Example.ORG:1", 200), ("example.org", 421)] {
        #expect(try WebAnswer(to: "GET /readyz HTTP/1.1\r\nHost: \(host)\r\n\r\n", at: address).status == status)
      }
    }
  }

  @Test(
    arguments: [
      ("GET /\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\n\n", 400),
      ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\n", 505),
      ("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 8192) + "\r\n\r\n", 431),
      ("GET /nothing HTTP/1.1\r\nHost: [::1]\r\n\r\n", 404), ("BREW / HTTP/1.1\r\nHost: [::1]\r\n\r\n", 405),
    ])
  func answersEverything(request: String, status: Int) throws {
    try withDaemon(Self.page()) { daemon in
      let answer = try WebAnswer(to: request, at: try daemon.address("status"))
      #expect(answer.status == status)
    }
  }

  @Test func takesAHeadInPieces() throws {
    try withDaemon(Self.page()) { daemon in
      let client = try Client(try daemon.address("status"))
      for byte in Array("GET /healthz HTTP/1.1\nHost: localhost\n\n".utf8) { try client.send([byte]) }
      #expect(try WebAnswer(try client.receiveText()).body == "ok\n")
    }
  }

  @Test func anErrorReachesAClientThatStillSends() throws {
    try withDaemon(Self.page()) { daemon in
      let client = try Client(try daemon.address("status"))
      // More than the service reads: it must not be answered by a reset.
      try? client.send("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 300_000))
      #expect(try WebAnswer(try client.receiveText()).status == 431)
    }
  }

  @Test func aSlowClientIsCutOff() throws {
    try withDaemon(Self.page("first-byte-timeout = \"600ms\"")) { daemon in
      let watch = Stopwatch()
      let silent = try Client(try daemon.address("status"))
      let slow = try Client(try daemon.address("status"))
      // Each byte comes in time for the next; the whole head never does.
      let end = Deadline(within: .seconds(8))
      var isOver = false
      while !isOver, !end.hasPassed {
        isOver = (try? slow.send("x")) == nil || slow.hears(within: .milliseconds(50))
      }
      #expect(isOver && watch.elapsed < .seconds(6) && watch.elapsed >= .milliseconds(550))
      #expect(try WebAnswer(try slow.receiveText()).status == 408)
      #expect(try silent.receiveAll() == [])
      let samples = try self.samples(daemon) {
        $0.sum("begat_connections_ended_total", service: "status") >= 2
      }
      for outcome in ["first-byte-timeout", "idle-timeout"] {
        #expect(samples["begat_connections_ended_total{service=\"status\",outcome=\"\(outcome)\"}"] == 1, "\(outcome)")
      }
    }
  }

  @Test func aClientThatNeverReadsCostsItsOwnProcessOnly() throws {
    try withDaemon(Self.page("idle-timeout = \"1s\"", "max-connections-per-source = 4")) { daemon in
      let address = try daemon.address("status")
      let deaf = try (0..<3).map { _ in
        let client = try Client(address)
        try client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client
      }
      #expect(try WebAnswer("/readyz", at: address).status == 200)
      for client in deaf { client.reset() }
      _ = try daemon.awaitConnections(0, of: "status")
      #expect(try WebAnswer("/readyz", at: address).status == 200)
    }
  }

  // MARK: Clients

  @Test func showsClientsOnlyIfItIsTold() throws {
    let echo =
      SampleConfiguration.service("echo")
      + SampleConfiguration.service("quiet", "log-address = \"none\"", serving: "echo")
    try withDaemon(echo + Self.page() + Self.page("show-peers = true", name: "open")) { daemon in
      let client = try Client(try daemon.address("echo"), from: "127.0.0.77")
      let quiet = try Client(try daemon.address("quiet"), from: "127.0.0.78")
      for client in [client, quiet] {
        try client.send("x")
        _ = try client.receive(count: 1)
      }
      #expect(try daemon.begat("deny", "198.51.100.0/24", "--for", "1h").status == .exited(code: 0))
      let isShown = try eventually {
        let text = try WebAnswer("/status.json", at: try daemon.address("open")).body
        return text.contains("127.0.0.77") && text.contains("198.51.100.0/24")
      }
      #expect(isShown)
      for path in ["/", "/status.json", "/metrics"] {
        let hidden = try WebAnswer(path, at: try daemon.address("status")).body
        let shown = try WebAnswer(path, at: try daemon.address("open")).body
        #expect(!hidden.contains("127.0.0.7") && !hidden.contains("198.51.100"), "\(path)")
        #expect(shown.contains("127.0.0.77") == (path != "/metrics") && !shown.contains("127.0.0.78"), "\(path)")
      }
      let page = try JSONSerialization.jsonObject(
        with: Data(try WebAnswer("/status.json", at: try daemon.address("open")).body.utf8))
      let connections = (page as? [String: Any])?["connections"] as? [[String: Any]] ?? []
      let listed = try json(try daemon.begat("ps", "--json", "echo"), as: [String: Any].self)
      let mine = try #require(connections.first { $0["service"] as? String == "echo" })
      let same = try #require((listed["connections"] as? [[String: Any]])?.first)
      for key in ["id", "peer", "pid", "listener"] { #expect("\(mine[key] ?? "")" == "\(same[key] ?? "")", "\(key)") }
      #expect(try samples(daemon)["begat_denied_networks"] == 1)
    }
  }

  // MARK: Agreement

  /// A service's row, without what depends on the instant.
  private func row(_ service: String, in answer: [String: Any]) throws -> String {
    var row = try #require((answer["services"] as? [[String: Any]])?.first { $0["name"] as? String == service })
    for key in ["rates", "listeners", "history", "refused-history"] { row[key] = nil }
    return String(decoding: try JSONSerialization.data(withJSONObject: row, options: .sortedKeys), as: UTF8.self)
  }

  @Test func countsAreThoseOfStatusOverCrashesKillsAndReloads() throws {
    func configuration(_ line: String) -> String {
      SampleConfiguration.service("echo", "deny = [\"127.0.0.9\"]", line)
        + "[service.odd]\nexec = [\"/bin/sh\", \"-c\", \"kill -SEGV $$\"]\nlisten-stream = [\"127.0.0.1:0\"]\n"
        + Self.page()
    }
    try withDaemon(configuration("")) { daemon in
      func serve(_ count: Int) throws {
        for _ in 0..<count { #expect(try ask(try daemon.address("echo"), "hi") == Array("hi".utf8)) }
      }
      let page = try daemon.listener("status")
      try serve(3)
      for _ in 0..<2 { _ = try? ask(try daemon.address("echo"), "x", from: "127.0.0.9") }
      _ = try? ask(try daemon.address("odd"))
      let ended = { (samples: MetricSamples, echo: Double) in
        samples.sum("begat_connections_ended_total", service: "echo") == echo
          && samples.sum("begat_connections_ended_total", service: "odd") == 1
      }
      _ = try samples(daemon) { ended($0, 3) }
      let held = try Client(try daemon.address("echo"))
      try held.send("x")
      _ = try held.receive(count: 1)
      try Signal.kill.send(to: try daemon.listener("echo"))
      #expect(held.awaitEnd())
      _ = try samples(daemon) { ended($0, 4) && $0[#"begat_listener_starts_total{service="echo"}"#] == 2 }
      try daemon.reload(configuration("max-connections = 9"))
      try serve(2)
      let last = try samples(daemon) {
        ended($0, 6) && $0[#"begat_connections_limit{service="echo"}"#] == 9
          && $0[#"begat_listeners{service="echo",role="retiring"}"#] == 0
      }
      #expect(last[#"begat_connections_accepted_total{service="echo"}"#] == 6)
      #expect(last[#"begat_connections_refused_total{service="echo",reason="allow-and-deny"}"#] == 2)
      #expect(last[#"begat_reloads_total{outcome="succeeded"}"#] == 1)
      #expect(try daemon.listener("status") == page, "the reload was not about it")

      let asked = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let text = try WebAnswer("/status.json", at: try daemon.address("status")).body
      let shown = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      for service in ["echo", "odd"] {
        let same = try row(service, in: asked)
        #expect(try row(service, in: shown) == same)
      }
      #expect((shown["services"] as? [Any])?.count == 3, "the page is a service too")
      let metrics = MetricSamples(try daemon.begat("status", "--prometheus").output.text)
      let lines = last.lines.filter { $0.contains("service=\"echo\"") || $0.contains("service=\"odd\"") }
      // The control socket has milliseconds only.
      for line in lines where !line.hasPrefix("begat_connection_duration_seconds_sum") {
        #expect(metrics.lines.contains(line), "\(line)")
      }
      let check = try RunningProgram.run(
        try Programs.tool("promtool"), ["check", "metrics"],
        input: .text(try WebAnswer("/metrics", at: try daemon.address("status")).body))
      #expect(check.status == .exited(code: 0) && check.output.text == "" && check.errors.text == "")
    }
  }

  @Test func aServiceThatDrainsBesideItsNamesakeIsOneInTheMetrics() throws {
    let echo = SampleConfiguration.service("echo")
    try withDaemon(Self.page() + echo) { daemon in
      let held = try Client(try daemon.address("echo"))
      try held.send("x")
      _ = try held.receive(count: 1)
      try daemon.reload(Self.page())
      try daemon.reload(Self.page() + echo)
      let series = #"begat_service_state{service="echo",state="serving"}"#
      let samples = try self.samples(daemon) { $0[series] == 1 }
      #expect(samples.lines.count { $0.hasPrefix(series) } == 1)
      #expect(samples[#"begat_connections_open{service="echo"}"#] == 1)
      // The namesake is no reason to send clients elsewhere.
      #expect(try WebAnswer("/readyz", at: try daemon.address("status")).status == 200)
      try held.send("y")
      #expect(try held.receive(count: 1) == Array("y".utf8))
    }
  }

  // MARK: Supervision

  @Test func aReloadOfOtherServicesIsShownByTheSameListener() throws {
    try withDaemon(Self.page() + SampleConfiguration.service("time")) { daemon in
      let page = try daemon.listener("status")
      _ = try samples(daemon) { $0[#"begat_service_state{service="time",state="serving"}"#] == 1 }
      try daemon.reload(Self.page() + SampleConfiguration.service("echo") + SampleConfiguration.service("daytime"))
      let samples = try self.samples(daemon) { samples in
        samples[#"begat_service_state{service="time",state="serving"}"#] == nil
          && ["echo", "daytime"].allSatisfy {
            samples["begat_service_state{service=\"\($0)\",state=\"serving\"}"] == 1
          }
      }
      #expect(samples[#"begat_listeners{service="status",role="current"}"#] == 1)
      #expect(try daemon.listener("status") == page)
      #expect(samples[#"begat_listener_starts_total{service="status"}"#] == 1)
      // A change of its own keys replaces it, and the next one has everything.
      try daemon.reload(
        Self.page("show-peers = true") + SampleConfiguration.service("echo") + SampleConfiguration.service("daytime"))
      #expect(eventually { daemon.generations("status").last != page })
      _ = try self.samples(daemon) { $0[#"begat_listener_starts_total{service="status"}"#] == 2 }
      #expect(try self.samples(daemon)[#"begat_listeners{service="echo",role="current"}"#] == 1)
    }
  }

  @Test func asksBegatdNothing() throws {
    try withDaemon(Self.page() + SampleConfiguration.service("echo")) { daemon in
      _ = try samples(daemon) { $0[#"begat_service_state{service="echo",state="serving"}"#] == 1 }
      try Signal(rawValue: SIGSTOP).send(to: daemon.process)
      defer { try? Signal(rawValue: SIGCONT).send(to: daemon.process) }
      // Counts of a begatd that is stopped are those of now.
      for _ in 0..<3 { _ = try ask(try daemon.address("echo"), "x") }
      _ = try samples(daemon) { $0[#"begat_connection_duration_seconds_count{service="echo"}"#] == 3 }
      for path in ["/", "/status.json", "/readyz"] {
        #expect(try WebAnswer(path, at: try daemon.address("status")).status == 200)
      }
    }
  }

  @Test func aListenerThatIsKilledComesBackWithEverything() throws {
    try withDaemon(Self.page() + SampleConfiguration.service("echo")) { daemon in
      for _ in 0..<3 { _ = try ask(try daemon.address("echo"), "x") }
      let accepted = #"begat_connections_accepted_total{service="echo"}"#
      _ = try samples(daemon) { $0[accepted] == 3 }
      let before = try samples(daemon)[#"begat_connections_accepted_total{service="status"}"#] ?? 0
      let page = try daemon.listener("status")
      try Signal.kill.send(to: page)
      // The backlog keeps clients meanwhile.
      let after = try samples(daemon)
      #expect(after[accepted] == 3 && after[#"begat_listeners{service="echo",role="current"}"#] == 1)
      #expect(after[#"begat_connections_accepted_total{service="status"}"#] ?? 0 > before)
      #expect(try daemon.listener("status") != page)
    }
  }

  @Test func manyServicesFitIntoALargerPage() throws {
    let services = (0..<120).map { SampleConfiguration.service("s\($0)", serving: "time") }.joined()
    try withDaemon(Self.page() + SampleConfiguration.service("s0", serving: "time")) { daemon in
      let page = try daemon.listener("status")
      try daemon.reload(Self.page() + services)
      let samples = try self.samples(daemon) {
        $0[#"begat_service_state{service="s119",state="serving"}"#] == 1
      }
      let serving = samples.lines.count {
        $0.hasPrefix("begat_service_state{") && $0.hasSuffix(",state=\"serving\"} 1")
      }
      #expect(serving == 121)
      #expect(try daemon.listener("status") == page)
    }
  }

  @Test func isNotReadyWhileAServiceOrBegatdIsToEnd() throws {
    let configuration = "[daemon]\nannounce-time = \"4s\"\n" + Self.page() + SampleConfiguration.service("echo")
    try withDaemon(configuration) { daemon in
      let address = try daemon.address("status")
      func readiness(_ status: Int, _ body: String) throws {
        var last: WebAnswer?
        let isSo = try eventually {
          let answer = try WebAnswer("/readyz", at: address)
          last = answer
          return answer.status == status && answer.body == body
        }
        #expect(isSo, "\(String(describing: last))")
      }
      try readiness(200, "ready\n")
      #expect(try daemon.begat("drain", "echo").status == .exited(code: 0))
      try readiness(503, "service echo has announced its drain\n")
      #expect(try WebAnswer("/healthz", at: address).status == 200)
      try readiness(503, "service echo is drained\n")
      #expect(try daemon.begat("resume", "echo").status == .exited(code: 0))
      try readiness(200, "ready\n")
      try daemon.program.send(.terminate)
      try readiness(503, "begatd has announced its stop\n")
    }
  }

  @Test func drainsLikeAnyService() throws {
    try withDaemon(Self.page() + SampleConfiguration.service("time")) { daemon in
      let address = try daemon.address("status")
      let held = try Client(address)
      _ = try daemon.awaitConnections(1, of: "status")
      #expect(try daemon.begat("drain", "status").status == .exited(code: 0))
      #expect(eventually { (try? Client(address)) == nil })
      try held.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(try WebAnswer(try held.receiveText()).body == "ok\n")
      #expect(try daemon.begat("resume", "status").status == .exited(code: 0))
      #expect(try samples(daemon)[#"begat_service_state{service="time",state="serving"}"#] == 1)
    }
  }

  @Test func isOfferedByBegatdOnly() throws {
    for words in [["--serve", "status", "--listen-stream", "127.0.0.1:0"], ["--serve", "status", "--stdio"]] {
      let listener = try RunningProgram.run(try Programs.listener(), words)
      #expect(listener.status == .exited(code: 64))
      #expect(listener.errors.text.contains("status shows what begatd knows: only begatd can offer it"))
    }
  }

  @Test func itsProcessesCannotWriteToWhatTheyShow() throws {
    try withDaemon(Self.page() + SampleConfiguration.service("time")) { daemon in
      let listener = try daemon.listener("status")
      var shared: [Substring] = []
      let hasAll = try eventually {
        let maps = try String(contentsOfFile: "/proc/\(listener)/maps", encoding: .utf8)
        shared = maps.split(separator: "\n").filter { $0.contains("memfd:begat-s") }
        return shared.count { $0.contains(" r--p ") } == 3
      }
      #expect(hasAll && shared.count { $0.contains("memfd:begat-state") } == 1, "\(shared)")
      // Its own scoreboard it has for writing too, in two parts.
      let writable = shared.filter { !$0.contains(" r--p ") }
      #expect(writable.count == 2 && writable.allSatisfy { $0.contains("memfd:begat-scoreboard") }, "\(shared)")
    }
  }
}
