import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd started by somebody who has left a mess.
@Suite(.timeLimit(.minutes(30)))
struct HostileStartTests {
  private static let configuration = SampleConfiguration.service("echo") + SampleConfiguration.service("hello")

  @Test func withoutStandardStreams() throws {
    try withDaemon(Self.configuration, wrapper: shell("exec \"$0\" \"$@\" <&- >&- 2>&-")) { daemon in
      try expectService(daemon)
      for process in try [daemon.process, daemon.listener("echo")] {
        for number in 0...2 { #expect(ProcessFacts.descriptors(of: process)[number] == "/dev/null") }
      }
      // A message now would go into a client's connection, were that standard error.
      let client = try Client(try daemon.address("echo"))
      try client.send("before")
      #expect(try client.receive(count: 6) == Array("before".utf8))
      try Signal.kill.send(to: try daemon.listener("hello"))
      _ = try daemon.listener("hello")
      try client.send("after")
      try client.endSending()
      #expect(try client.receiveAll() == Array("after".utf8))
    }
  }

  @Test func withDescriptorsThatNobodyKnows() throws {
    try withDaemon(Self.configuration, wrapper: shell("exec 5</etc/passwd 9</etc/hosts; exec \"$0\" \"$@\"")) {
      daemon in
      try expectService(daemon)
      for process in try [daemon.process, daemon.listener("echo")] {
        let targets = ProcessFacts.descriptors(of: process).values
        #expect(!targets.contains("/etc/passwd") && !targets.contains("/etc/hosts"))
      }
    }
  }

  @Test func withFewDescriptors() throws {
    try withDaemon(Self.configuration, wrapper: shell("ulimit -n 40; exec \"$0\" \"$@\"")) { daemon in
      try expectService(daemon)
    }
  }

  /// Too few: then that is said, and nothing is half started.
  @Test(arguments: [6, 8, 10, 12, 14, 16, 18, 20])
  func withTooFewDescriptorsItSaysSo(limit: Int) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let file = try directory.write(
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\", \"127.0.0.1:0\"]\n\(SampleConfiguration.service("hello"))",
      to: "begatd.toml")
    let command = shell("ulimit -n \(limit); exec \"$0\" \"$@\"") + [try Programs.begatd(), "--config", file]
    let begatd = try RunningProgram(command[0], Array(command.dropFirst()))
    var isServed = false
    #expect(
      eventually {
        isServed = (try? ask(path, "x")) == [120]; return isServed || begatd.hasEnded
      })
    if isServed {
      try begatd.send(.terminate)
      #expect(try begatd.awaitEnd() == .exited(code: 0), "\(begatd.errors.text)")
    } else {
      // With the fewest, not even the configuration can be read.
      let status = try begatd.awaitEnd()
      #expect([.exited(code: 1), .exited(code: 78)].contains(status), "\(status) \(begatd.errors.text)")
      #expect(begatd.errors.text.contains("Too many open files"), "\(begatd.errors.text)")
    }
    #expect(begatd.errors.awaitEnd(within: .seconds(2)), "a process is left")
    #expect(try directory.names() == ["begatd.toml"])
  }

  @Test func withAsManyDescriptorsAsCanBe() throws {
    try withDaemon(Self.configuration, wrapper: shell("ulimit -n $(ulimit -Hn); exec \"$0\" \"$@\"")) { daemon in
      try expectService(daemon)
    }
  }

  @Test func withSignalsIgnoredAndBlocked() throws {
    let script = """
      import os, signal, sys
      for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGRTMIN + 1):
          signal.signal(number, signal.SIG_IGN)
      signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
      os.execv(sys.argv[1], sys.argv[1:])
      """
    let configuration = Self.configuration + SampleConfiguration.service("command", "idle-timeout = \"1s\"")
    try withDaemon(configuration, wrapper: [try Programs.tool("python3"), "-c", script]) { daemon in
      try expectService(daemon)
      // SIGCHLD announces dead listeners, SIGRTMIN+1 ended connections, SIGALRM ends idle ones.
      try Signal.kill.send(to: try daemon.listener("echo"))
      try daemon.log.awaitLines(containing: "started again")
      try expectService(daemon)
      #expect(try session(try daemon.address("command")).awaitEnd(within: .seconds(3)))
      try daemon.log.awaitLines(containing: "idle-timeout")
    }
  }

  @Test func withAHostileEnvironment() throws {
    let environment = [
      "LD_PRELOAD=/nonexistent.so", "LISTEN_PID=1", "LISTEN_FDS=3", "NOTIFY_SOCKET=/nonexistent", "IFS=x",
      "WATCHDOG_USEC=nonsense", "JOURNAL_STREAM=1:1", "BASH_ENV=/nonexistent", "LOCPATH=/nonexistent",
    ]
    try withDaemon(Self.configuration, environment: environment) { daemon in
      try expectService(daemon)
      let variables = try RunningProgram.tool("cat", ["/proc/\(try daemon.listener("echo"))/environ"]).output.text
      let names = Set(variables.split(separator: "\0").compactMap { $0.split(separator: "=").first })
      #expect(names.isSubset(of: ["PATH", "TZ"]), "\(names)")
    }
  }

  @Test func withAHostileUmask() throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      let open = "[service.open]\nserve = \"echo\"\nlisten-stream = [\"\(directory.path("open.sock"))\"]\n"
      let closed = "[service.closed]\nserve = \"echo\"\nlisten-stream = [\"\(directory.path("closed.sock"))\"]\n"
      return open + closed + "socket-mode = \"0600\"\n"
    }
    try withDaemon(configuration, wrapper: shell("umask 0777; exec \"$0\" \"$@\"")) { daemon in
      let (open, closed) = (try daemon.address("open"), try daemon.address("closed"))
      #expect(mode(of: open) == 0o666)
      #expect(mode(of: closed) == 0o600)
      #expect(try ask(open, "x") == Array("x".utf8))
    }
  }

  private func mode(of path: String) -> mode_t {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
  }

  private func expectService(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(try ask(daemon.address("echo"), "served") == Array("served".utf8), sourceLocation: sourceLocation)
    #expect(
      try ask(daemon.address("hello")).starts(with: Array("Hello there, ".utf8)), sourceLocation: sourceLocation)
  }
}
