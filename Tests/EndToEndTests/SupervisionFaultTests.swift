import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Faults of begatd, and of the processes on which it depends.
@Suite(.timeLimit(.minutes(30)))
struct SupervisionFaultTests {
  private static let configuration =
    SampleConfiguration.service("echo") + SampleConfiguration.service("time", "log-rate = \"none\"")

  /// A begatd with a listener's program of the test's own beside it.
  private final class Copy {
    let begatd: String
    let listener: String

    init(in directory: TemporaryDirectory) throws {
      try directory.make("bin")
      begatd = directory.path("bin/begatd")
      listener = directory.path("bin/begat-listener")
      _ = try RunningProgram.tool("cp", [try Programs.begatd(), begatd])
      try directory.write(
        """
        #!/bin/sh
        [ -e \(directory.path("hang")) ] && exec sleep 1000
        exec \(try Programs.listener()) "$@"

        """, to: "bin/begat-listener", mode: 0o755)
    }
  }

  /// Two begatds of one runtime directory would have the same control sockets.
  private static func runtime(_ directory: TemporaryDirectory) -> String {
    "RUNTIME_DIRECTORY=\(directory.path("run"))"
  }

  // MARK: Pauses

  @Test func aPauseOfBegatdCostsNoListener() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      Self.configuration, in: directory, environment: [socket.variable, "WATCHDOG_USEC=600000"])
    let held = try (0..<5).map { _ in try Client(try daemon.address("time")) }
    let time = try daemon.address("time")
    let echo = try Client(try daemon.address("echo"))
    try Signal(rawValue: SIGSTOP).send(to: daemon.process)
    // More than the channel holds: 26 messages of 64.
    for _ in 0..<2500 { _ = try ask(time) }
    try Signal(rawValue: SIGCONT).send(to: daemon.process)
    _ = try socket.take(until: "WATCHDOG=1")
    _ = try socket.take(until: "WATCHDOG=1")
    try echo.send("still here")
    #expect(try echo.receive(count: 10) == Array("still here".utf8))
    try daemon.log.awaitLines(containing: "time: ", within: .seconds(5))
    let lines = try daemon.log.awaitLines(containing: "missing in this log, which is not written fast enough")
    #expect(lines.count == 1)
    #expect(!daemon.log.text.contains("does not answer"))
    _ = held
    echo.hangUp()
    try daemon.stop()
  }

  @Test(arguments: ["1", "1000", "100000"])
  func anImpatientManagerCostsNoListener(microseconds: String) throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      Self.configuration, in: directory, environment: [socket.variable, "WATCHDOG_USEC=\(microseconds)"])
    for _ in 0..<5 { _ = try socket.take(until: "WATCHDOG=1") }
    #expect(!daemon.log.text.contains("does not answer"))
    try daemon.stop()
  }

  @Test func withoutAWatchdogThereAreNoSignsOfLife() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(Self.configuration, in: directory, environment: [socket.variable])
    _ = try socket.take(until: "READY=1")
    #expect(throws: HarnessFailure.self) { try socket.take(until: "WATCHDOG=1", within: .seconds(11)) }
    try daemon.stop()
  }

  // MARK: Starts

  @Test func aListenerThatIsNeverReadyIsReplaced() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let copy = try Copy(in: directory)
    let file = try directory.write(Self.configuration, to: "begatd.toml")
    let begatd = try RunningProgram(
      copy.begatd, ["--config", file], environment: [socket.variable, "WATCHDOG_USEC=2000000", Self.runtime(directory)])
    _ = try socket.take(until: "READY=1")
    let listener = try #require(
      ProcessFacts.children(of: begatd.process).first { $0.title.contains("echo") }
    ).process
    try directory.write("", to: "hang")
    try Signal.kill.send(to: listener)
    // The signs of life go on: it is a listener that is late, not begatd.
    for _ in 0..<8 { _ = try socket.take(until: "WATCHDOG=1", within: .seconds(2)) }
    try begatd.errors.awaitLines(containing: "was not ready within 30s; ended", within: .seconds(40))
    unlink(directory.path("hang"))
    try begatd.errors.awaitLines(containing: "killed by SIGKILL; started again", within: .seconds(5))
    _ = try socket.take(until: "STATUS=serving 2 of 2", within: .seconds(5))
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
  }

  @Test func aStartThatHangsFails() throws {
    let directory = try TemporaryDirectory()
    let copy = try Copy(in: directory)
    try directory.write("", to: "hang")
    let file = try directory.write(Self.configuration, to: "begatd.toml")
    let begatd = try RunningProgram.run(
      copy.begatd, ["--config", file], environment: [Self.runtime(directory)], within: .seconds(45))
    #expect(begatd.status == .exited(code: 1))
    #expect(begatd.errors.text.contains("was not ready within 30s; ended"), "\(begatd.errors.text)")
    #expect(begatd.errors.text.contains("the listener did not start: killed by SIGKILL"), "\(begatd.errors.text)")
  }

  @Test func aMissingListenerIsReportedOnce() throws {
    let directory = try TemporaryDirectory()
    let copy = try Copy(in: directory)
    let file = try directory.write(SampleConfiguration.service("echo"), to: "begatd.toml")
    let begatd = try RunningProgram(copy.begatd, ["--config", file], environment: [Self.runtime(directory)])
    try begatd.errors.awaitLines(containing: "is ready")
    #expect(rename(copy.listener, directory.path("away")) == 0)
    for facts in ProcessFacts.children(of: begatd.process) { try Signal.kill.send(to: facts.process) }
    try begatd.errors.awaitLines(containing: "No such file or directory; tried again until it works")
    // Six attempts fail in that time.
    #expect(!begatd.errors.wait(within: .seconds(4)) { $0.components(separatedBy: "No such file").count > 2 })
    #expect(rename(directory.path("away"), copy.listener) == 0)
    try begatd.errors.awaitLines(containing: "echo: listener started, after ", within: .seconds(10))
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
    try begatd.errors.awaitLines(containing: "begatd: stopped")
  }

  @Test func theResolverComesBackAfterAnUpgrade() throws {
    let directory = try TemporaryDirectory()
    let copy = try Copy(in: directory)
    let file = try directory.write(SampleConfiguration.service("hello"), to: "begatd.toml")
    let begatd = try RunningProgram(copy.begatd, ["--config", file], environment: [Self.runtime(directory)])
    try begatd.errors.awaitLines(containing: "is ready")
    func resolver() -> pid_t? {
      ProcessFacts.children(of: begatd.process).first { $0.title.contains("--resolve-names") && !$0.isZombie }?.process
    }
    let old = try #require(resolver())
    // As a package does it: another file takes the name.
    try directory.write("#!/bin/sh\nexit 3\n", to: "new", mode: 0o755)
    #expect(rename(directory.path("new"), copy.begatd) == 0)
    try Signal.kill.send(to: old)
    try begatd.errors.awaitLines(containing: "names: the resolver ended: killed by SIGKILL")
    #expect(eventually { resolver().map { $0 != old } ?? false }, "\(begatd.errors.text)")
    #expect(!begatd.errors.text.contains("cannot be started"))
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func theResolverIsNeverRoot() throws {
    let script = """
      mount --make-rprivate / && mount -t tmpfs none /mnt && grep -v '^nobody:' /etc/passwd > /mnt/passwd &&
      mount --bind /mnt/passwd /etc/passwd && echo 'passwd: files' > /mnt/nsswitch.conf &&
      { [ ! -e /etc/nsswitch.conf ] || mount --bind /mnt/nsswitch.conf /etc/nsswitch.conf; } && exec "$0" "$@"
      """
    let configuration = SampleConfiguration.service("hello", "user = \"daemon\"")
    try withDaemon(
      configuration, wrapper: [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", script]
    ) { daemon in
      let resolver = try #require(
        ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") })
      #expect(
        eventually {
          let user = ProcessFacts.statusLine("Uid", of: resolver.process)?.split(separator: "\t").first
          return user.flatMap { Int($0) }.map { (65_536...99_999).contains($0) } ?? false
        })
    }
  }

  @Test("a listener that cannot be executed is tried again soon, and one line says so")
  func aListenerThatCannotBeExecuted() throws {
    let directory = try TemporaryDirectory()
    let copy = try Copy(in: directory)
    let daemon = try Daemon(Self.configuration, in: directory, begatd: copy.begatd)
    defer { daemon.kill() }
    chmod(copy.listener, 0o644)
    try Signal.kill.send(to: try daemon.listener("time"))
    let lines = try daemon.log.awaitLines(containing: "time: execve \(copy.listener): Permission denied")
    #expect(lines.count == 1 && lines[0].hasSuffix("; tried again until it works"), "\(lines)")
    let client = try Client(try daemon.address("time"))
    chmod(copy.listener, 0o755)
    #expect(Expected.isTime(try client.receiveAll()))
    try daemon.log.awaitLines(containing: "time: listener started, after ")
    #expect(daemon.log.lines(containing: "execve").count == 1, "\(daemon.log.text)")
    client.hangUp()
    try daemon.stop()
  }

  // MARK: Limits and containers

  @Test func aFileAtItsSizeLimitEndsNothing() throws {
    let directory = try TemporaryDirectory()
    // 100 bytes below the limit, which is counted in blocks of 512; a listener's own memory is a file below it too.
    let script =
      "ulimit -f 39062; truncate -s 19999644 \(directory.path("log")); exec \"$0\" \"$@\" 2>>\(directory.path("log"))"
    let daemon = try Daemon(
      SampleConfiguration.service("time", "max-connections = 16"), in: directory, wrapper: shell(script))
    for _ in 0..<50 { _ = try ask(daemon.address("time")) }
    #expect(ProcessFacts.statusLine("SigIgn", of: daemon.process).map { UInt64($0, radix: 16)! & (1 << 24) } != 0)
    try daemon.stop()
  }

  @Test(.enabled(if: geteuid() == 0, "needs root for a namespace of processes"))
  func asAContainersFirstProcessItReapsOrphans() throws {
    let directory = try TemporaryDirectory()
    let orphan = try directory.write("#!/bin/sh\n(setsid sleep 0.1 &)\necho ok\n", to: "orphan", mode: 0o755)
    let path = directory.path("o.sock")
    let file = try directory.write(
      "[service.o]\nexec = [\"\(orphan)\"]\nlisten-stream = [\"\(path)\"]\n", to: "begatd.toml")
    let unshare = try RunningProgram(
      try Programs.tool("unshare"),
      ["--pid", "--fork", "--mount-proc", "--kill-child", try Programs.begatd(), "--config", file])
    try unshare.errors.awaitLines(containing: "is ready")
    for _ in 0..<20 { #expect(String(decoding: try ask(path), as: UTF8.self).contains("ok")) }
    let begatd = try #require(ProcessFacts.children(of: unshare.process).first)
    #expect(
      eventually { ProcessFacts.children(of: begatd.process).count == 1 },
      "\(ProcessFacts.children(of: begatd.process).map(\.title))")
    try Signal.terminate.send(to: begatd.process)
    #expect(try unshare.awaitEnd() == .exited(code: 0))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"), arguments: ["begatd", "begat", "begat-listener"])
  func withoutProcNothingStarts(name: String) throws {
    let program =
      switch name {
      case "begatd": try Programs.begatd()
      case "begat": try Programs.begat()
      default: try Programs.listener()
      }
    let script = "mount --make-rprivate / && mount -t tmpfs none /proc && exec \"$0\" --version"
    let run = try RunningProgram.run(
      try Programs.tool("unshare"), ["-m", try Programs.tool("sh"), "-c", script, program])
    #expect(run.status == .exited(code: 1), "\(run.status!)")
    #expect(run.output.text == "")
    #expect(
      run.errors.lines.count == 1 && run.errors.text.hasPrefix("\(name): /proc is not mounted"), "\(run.errors.text)")
  }
}
