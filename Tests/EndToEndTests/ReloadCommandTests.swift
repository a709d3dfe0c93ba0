import Testing
@_spi(Begat) import UnixCore

/// `begat reload`, by its answers.
@Suite(.timeLimit(.minutes(30)))
struct ReloadCommandTests {
  @Test func theAnswerIsTheReloads() throws {
    let text = SampleConfiguration.service("time") + SampleConfiguration.service("echo")
    try withDaemon(text) { daemon in
      let file = daemon.directory.path("begatd.toml")
      try daemon.directory.write(
        SampleConfiguration.service("time", "max-connections = 9") + SampleConfiguration.service("echo"),
        to: "begatd.toml")
      let dry = try daemon.begat("reload", "--dry-run")
      #expect(dry.status == .exited(code: 0), "\(dry.errors.text)")
      #expect(dry.output.lines.last == "the configuration is right; 1 of 2 services would change")
      #expect(dry.output.lines.first == "changed  time: max-connections")
      let reload = try daemon.begat("reload")
      #expect(reload.status == .exited(code: 0) && reload.output.lines.last == "reloaded; 1 of 2 services changed")
      #expect(try daemon.begat("status").output.text.contains("0/9"))
      try daemon.directory.write(
        "[service.time]\nserve = \"tiem\"\nlisten-stream = [\"127.0.0.1:0\"]\n", to: "begatd.toml")
      let refused = try daemon.begat("reload")
      #expect(refused.status == .exited(code: 78) && refused.output.text == "")
      #expect(refused.errors.lines.first?.hasPrefix("\(file):2:9: service.time.serve: expected one of ") == true)
      #expect(refused.errors.lines.last == "begat reload: the configuration is refused; the one before goes on")
      #expect(try daemon.begat("status").output.text.contains("0/9"))
    }
  }

  /// It changes nothing, and so need not keep the distance of reloads.
  @Test func dryRunsDoNotWaitForEachOther() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      func time(_ reload: () throws -> RunningProgram) throws -> Duration {
        let watch = Stopwatch()
        for _ in 0..<10 {
          let reload = try reload()
          #expect(reload.status == .exited(code: 0), "\(reload.errors.text)")
        }
        return watch.elapsed
      }
      let spaced = try time { try daemon.begat("reload") }
      let dry = try time { try daemon.begat("reload", "--dry-run") }
      #expect(dry < spaced, "\(dry) and \(spaced)")
    }
  }
}
