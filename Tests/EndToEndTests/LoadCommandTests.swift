import Foundation
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat load` by datagrams, at a rate and with an expected text; ToolTests has its closed loop over streams.
@Suite(.timeLimit(.minutes(30)))
struct LoadCommandTests {
  @Test(arguments: ["127.0.0.1:", "[::1]:"])
  func loadAsksByDatagrams(at place: String) throws {
    let configuration = SampleConfiguration.service(
      "time", "listen-datagram = [\"127.0.0.1:0\", \"[::1]:0\"]", "rate = \"1000000/s\"",
      "rate-per-source = \"1000000/s\"")
    try withDaemon(configuration) { daemon in
      let load = try begat(
        ["load", "--udp", "--connections", "200", "--expect-bytes", "4", "--timeout", "20s", "--json"]
          + target(daemon.address("time", place, datagram: true)))
      #expect(load.status == .exited(code: 0), "\(load.errors.text)")
      let figures = try figures(load)
      #expect(figures["ok"] == 200 && figures["connections"] == 200 && figures["bytes"] == 800)
    }
  }

  @Test func loadKeepsARate() throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 256")) { daemon in
      let load = try begat(
        ["load", "--rate", "200/s", "--connections", "40", "--expect-bytes", "4", "--json"]
          + target(daemon.address("time")))
      #expect(load.status == .exited(code: 0), "\(load.errors.text)")
      let figures = try figures(load)
      #expect(figures["ok"] == 40 && figures["offered_rate"] == 200 && figures["not_begun"] == 0)
      #expect(figures["seconds"].map { $0 >= 0.2 } == true, "\(load.output.text)")
    }
  }

  @Test func loadLooksForAText() throws {
    try withDaemon(SampleConfiguration.service("command", "max-connections-per-source = 256")) { daemon in
      let words = ["load", "--connections", "10", "--send", "quit", "--json"]
      let address = try target(daemon.address("command"))
      let right = try begat(words + ["--expect", "Command? "] + address)
      #expect(right.status == .exited(code: 0), "\(right.output.text)")
      let wrong = try begat(words + ["--expect", "Password: "] + address)
      #expect(wrong.status == .exited(code: 1))
      #expect(try figures(wrong)["unexpected"] == 10)
    }
  }

  /// As with wrk(1): the run was asked to end, and has measured until then.
  @Test(arguments: [Signal.interrupt, .terminate])
  func aSignalEndsTheRunWithItsReport(signal: Signal) throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 256")) { daemon in
      let words = try ["load", "--duration", "60s", "--json"] + target(daemon.address("time"))
      let load = try RunningProgram(try Programs.begat(), words)
      // At most 16 are under way: one has ended.
      _ = try daemon.log.awaitLines(17, containing: "time: pid ")
      try load.send(signal)
      #expect(try load.awaitEnd() == .exited(code: 0), "\(load.errors.text)")
      let figures = try figures(load)
      #expect(figures["ok"].map { $0 > 0 } == true && figures["failed"] == 0)
    }
  }

  /// A connection that begins late because the generator was stopped is not counted as delayed: slots were free.
  @Test func onlyMissingSlotsDelay() throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 256")) { daemon in
      let words =
        try ["load", "--rate", "100", "--connections", "200", "--expect-bytes", "4", "--json"]
        + target(daemon.address("time"))
      let load = try RunningProgram(try Programs.begat(), words)
      _ = try daemon.log.awaitLines(containing: "time: pid ")
      try load.send(.stop)
      let status = "/proc/\(load.process)/stat"
      #expect(eventually { (try? String(contentsOfFile: status, encoding: .utf8))?.contains(") T ") == true })
      let watch = Stopwatch()
      #expect(eventually { watch.elapsed > .milliseconds(200) })
      try load.send(.continue)
      #expect(try load.awaitEnd() == .exited(code: 0), "\(load.errors.text)")
      let figures = try figures(load)
      #expect(figures["ok"] == 200 && figures["delayed"] == 0)
    }
  }

  @Test func loadShowsOnATerminalHowItGoes() throws {
    try withDaemon(SampleConfiguration.service("time", "max-connections-per-source = 256")) { daemon in
      let deadline = UnixCore.Deadline(after: .seconds(60))
      var shell = try TerminalConversation.shell([], until: deadline)
      let place = try target(daemon.address("time")).joined(separator: " ")
      try shell.sendLine("$BEGAT load --rate 20 --duration 1500ms \(place)", until: deadline)
      try shell.expect(.regex(#/\r\x1b\[K\d+ s: \d+\/s, \d+ ok/#), until: deadline)
      try shell.expect(.regex(#/\r\x1b\[Ktarget +127\.0\.0\.1:/#), until: deadline)
      try shell.expect("$ ", until: deadline)
    }
  }

  @Test(
    arguments: [
      ["--rate", "fast"], ["--rate", "0"], ["--rate", "0x10"], ["--rate", "1e3"], ["--rate", "nan"], ["--expect", ""],
      ["--udp", "--hold", "5"], ["--udp", "--proxy", "v1"],
    ])
  func loadRefusesWhatCannotBe(options: [String]) throws {
    let load = try begat(["load"] + options + ["127.0.0.1", "1"])
    #expect(load.status == .exited(code: 64) && load.output.text == "", "\(load.output.text)")
  }

  private func begat(_ arguments: [String]) throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), arguments)
  }
}
