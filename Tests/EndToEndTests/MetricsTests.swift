import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat status --prometheus` of a begatd with real clients.
@Suite(.timeLimit(.minutes(30)))
struct MetricsTests {
  private static let configuration =
    SampleConfiguration.service("echo", "max-connections = 7", "deny = [\"127.0.0.9\"]") + """
      [service.time]
      serve = "time"
      listen-stream = ["127.0.0.1:0"]
      listen-datagram = ["127.0.0.1:0"]
      rate-per-source = "1/h burst 4"
      [service.odd]
      exec = ["/bin/sh", "-c", "read word; test \\"$word\\" = crash && kill -SEGV $$; exit 3"]
      listen-stream = ["127.0.0.1:0"]

      """

  private func samples(_ daemon: Daemon) throws -> MetricSamples {
    let begat = try daemon.begat("status", "--prometheus")
    #expect(begat.status == .exited(code: 0) && begat.errors.text == "")
    return MetricSamples(begat.output.text)
  }

  /// The samples, as soon as they are as wanted: a listener counts an end when it reaps.
  private func samples(_ daemon: Daemon, once isWanted: (MetricSamples) -> Bool) throws -> MetricSamples {
    try MetricSamples.awaited(once: isWanted) { try samples(daemon) }
  }

  @Test func countWhatClientsDid() throws {
    try withDaemon(Self.configuration) { daemon in
      let open = try Client(try daemon.address("echo"))
      try open.send("x")
      _ = try open.receive(count: 1)
      for _ in 0..<5 { #expect(try ask(try daemon.address("echo"), "hello") == Array("hello".utf8)) }
      for _ in 0..<2 { _ = try? ask(try daemon.address("echo"), "x", from: "127.0.0.9") }
      // Four have a token, two are refused.
      for _ in 0..<6 { _ = try? ask(try daemon.address("time", "127.")) }
      for _ in 0..<3 { _ = try DatagramClient.ask(try daemon.address("time", datagram: true)) }
      _ = try? ask(try daemon.address("odd"), "crash\n")
      for _ in 0..<2 { _ = try? ask(try daemon.address("odd"), "x\n") }

      let samples = try self.samples(daemon) { samples in
        samples.sum("begat_connections_ended_total", service: "odd") == 3
          && samples.sum("begat_connections_ended_total", service: "time") == 4
          && samples.sum("begat_connections_ended_total", service: "echo") == 5
          && samples[#"begat_datagrams_answered_total{service="time"}"#] == 3
      }
      let expected: [String: Double] = [
        "begat_up": 1, #"begat_state{state="serving"}"#: 1,
        #"begat_service_state{service="echo",state="serving"}"#: 1,
        #"begat_service_state{service="echo",state="failed"}"#: 0,
        #"begat_connections_open{service="echo"}"#: 1, #"begat_connections_limit{service="echo"}"#: 7,
        #"begat_connections_accepted_total{service="echo"}"#: 6,
        #"begat_connections_refused_total{service="echo",reason="allow-and-deny"}"#: 2,
        #"begat_connections_refused_total{service="echo",reason="rate"}"#: 0,
        #"begat_connections_ended_total{service="echo",outcome="complete"}"#: 5,
        #"begat_received_bytes_total{service="echo"}"#: 25, #"begat_sent_bytes_total{service="echo"}"#: 25,
        #"begat_connection_duration_seconds_count{service="echo"}"#: 5,
        #"begat_connection_duration_seconds_bucket{service="echo",le="+Inf"}"#: 5,
        #"begat_connections_accepted_total{service="time"}"#: 4,
        #"begat_connections_refused_total{service="time",reason="rate-per-source"}"#: 2,
        #"begat_sent_bytes_total{service="time"}"#: 16,
        #"begat_datagrams_answered_total{service="time"}"#: 3,
        #"begat_listening_sockets{service="time",transport="tcp"}"#: 1,
        #"begat_listening_sockets{service="time",transport="udp"}"#: 1,
        #"begat_connections_ended_total{service="odd",outcome="crashed"}"#: 1,
        #"begat_connections_ended_total{service="odd",outcome="exited"}"#: 2,
        #"begat_listeners{service="odd",role="current"}"#: 1, #"begat_listener_starts_total{service="odd"}"#: 1,
      ]
      for (series, value) in expected { #expect(samples[series] == value, "\(series)") }
      #expect(samples[#"begat_datagrams_answered_total{service="echo"}"#] == nil)
      #expect(!samples.lines.contains { $0.contains("127.0.0") }, "metrics name no client")
    }
  }

  @Test func countersDoNotFall() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      for _ in 0..<4 { _ = try ask(try daemon.address("time")) }
      _ = try self.samples(daemon) { $0.sum("begat_connections_ended_total", service: "time") == 4 }
      try Signal.kill.send(to: try daemon.listener("time"))
      _ = try self.samples(daemon) { $0[#"begat_listener_starts_total{service="time"}"#] == 2 }
      _ = try daemon.reload(SampleConfiguration.service("time", "max-connections = 9"))
      #expect(try daemon.reload("[nonsense").contains("refused"))
      _ = try ask(try daemon.address("time"))
      let samples = try self.samples(daemon) { $0[#"begat_connection_duration_seconds_count{service="time"}"#] == 5 }
      let expected: [String: Double] = [
        #"begat_connections_accepted_total{service="time"}"#: 5, #"begat_sent_bytes_total{service="time"}"#: 20,
        #"begat_connections_ended_total{service="time",outcome="complete"}"#: 5,
        #"begat_connections_limit{service="time"}"#: 9, #"begat_listener_starts_total{service="time"}"#: 3,
        #"begat_reloads_total{outcome="succeeded"}"#: 1, #"begat_reloads_total{outcome="refused"}"#: 1,
        "begat_reload_last_successful": 0,
      ]
      for (series, value) in expected { #expect(samples[series] == value, "\(series)") }
      let age = try #require(samples["begat_uptime_seconds"])
      #expect(try #require(samples["begat_reload_last_age_seconds"]) < age)
    }
  }

  @Test func promtoolFindsNothingWrong() throws {
    try withDaemon(Self.configuration) { daemon in
      _ = try ask(try daemon.address("echo"), "hello")
      let metrics = try daemon.begat("status", "--prometheus")
      #expect(metrics.output.text.utf8.count < 64 << 10)
      let check = try RunningProgram.run(
        try Programs.tool("promtool"), ["check", "metrics"], input: .text(metrics.output.text))
      #expect(check.status == .exited(code: 0) && check.output.text == "" && check.errors.text == "")
    }
  }

  @Test func aFileIsReplacedWhole() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      let file = try daemon.directory.write("old", to: "begat.prom", mode: 0o640)
      let reader = try #require(FileHandle(forReadingAtPath: file))
      let begat = try daemon.begat("status", "--prometheus", "--output", file)
      #expect(begat.status == .exited(code: 0) && begat.output.text == "" && begat.errors.text == "")
      #expect(MetricSamples(try String(contentsOfFile: file, encoding: .utf8))["begat_up"] == 1)
      let mode = try self.mode(file)
      #expect(mode == 0o640)
      // A reader that came before has the old file.
      let old = try reader.readToEnd()
      #expect(old == Data("old".utf8))

      let fresh = daemon.directory.path("fresh.prom")
      #expect(try daemon.begat("status", "--prometheus", "-o", fresh).status == .exited(code: 0))
      let freshMode = try self.mode(fresh)
      #expect(freshMode & 0o044 == 0o044, "node_exporter is another user")
      #expect(try daemon.directory.names().filter { $0.contains(".prom") } == ["begat.prom", "fresh.prom"])
    }
  }

  private func mode(_ file: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test func aFileThatCannotBeWrittenIsNamed() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      let file = daemon.directory.path("missing/begat.prom")
      let begat = try daemon.begat("status", "--prometheus", "--output", file)
      #expect(begat.status == .exited(code: 1) && begat.output.text == "")
      #expect(begat.errors.text == "begat status: open \(file): No such file or directory\n")
    }
  }

  /// The numbers of a begatd that is gone must not stay as if it were there.
  @Test func aBegatdThatDoesNotAnswerIsDown() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("begat_up 1\n", to: "begat.prom")
    let begat = try RunningProgram.run(
      try Programs.begat(), ["status", "--prometheus", "--output", file],
      environment: ["RUNTIME_DIRECTORY=\(directory.path)"])
    #expect(begat.status == .exited(code: 1))
    #expect(begat.errors.text.hasPrefix("begat status: no begatd answers at \(directory.path("status")); start it"))
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(MetricSamples(text).lines == ["begat_up 0"])
    let check = try RunningProgram.run(try Programs.tool("promtool"), ["check", "metrics"], input: .text(text))
    #expect(check.status == .exited(code: 0) && check.output.text == "" && check.errors.text == "")
  }

  @Test func listenersWithoutBegatdAreAddedUp() throws {
    let directory = try TemporaryDirectory()
    let environment = ["RUNTIME_DIRECTORY=\(directory.path("run"))"]
    let listeners = try (0..<2).map { _ in
      try RunningProgram(
        try Programs.listener(), ["--serve", "time", "--name", "alone", "--listen-stream", "127.0.0.1:0"],
        environment: environment)
    }
    for listener in listeners {
      let line = try listener.errors.awaitLines(containing: ": ready on ")[0]
      _ = try ask(String(line.split(separator: " ").last ?? ""))
    }
    let begat = try RunningProgram.run(
      try Programs.begat(), ["status", "--prometheus"], environment: environment)
    #expect(begat.status == .exited(code: 0) && begat.errors.text == "")
    let samples = MetricSamples(begat.output.text)
    #expect(samples["begat_up"] == 0 && samples[#"begat_connections_accepted_total{service="alone"}"#] == 2)
    let check = try RunningProgram.run(
      try Programs.tool("promtool"), ["check", "metrics"], input: .text(begat.output.text))
    #expect(check.status == .exited(code: 0) && check.output.text == "" && check.errors.text == "")
  }

  @Test(arguments: [
    ["--output", "x"], ["--prometheus", "--json"], ["--prometheus", "--output", ""], ["--prometheus", "x"],
  ])
  func wrongCommandLinesEndWith64(words: [String]) throws {
    let begat = try RunningProgram.run(try Programs.begat(), ["status"] + words)
    #expect(begat.status == .exited(code: 64) && begat.output.text == "", "\(begat.errors.text)")
  }
}
