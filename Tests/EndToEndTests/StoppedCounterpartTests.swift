import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Whatever begatd writes to or asks may stop: it still replaces a dead listener and obeys SIGTERM.
@Suite(.timeLimit(.minutes(30)))
struct StoppedCounterpartTests {
  private static let configuration = SampleConfiguration.service("echo") + SampleConfiguration.service("daytime")

  @Test func theServiceManager() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("notify")
    let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    let daemon = try Daemon(
      Self.configuration, in: directory, environment: ["NOTIFY_SOCKET=\(path)", "WATCHDOG_USEC=600000"])
    // Its queue takes some ten messages.
    try daemon.log.awaitLines(
      containing: "service manager: send \(path): Resource temporarily unavailable", within: .seconds(15))
    try expectWork(daemon)

    try readAll(bound.socket)
    try daemon.log.awaitLines(containing: "service manager: it can be told again", within: .seconds(15))
    #expect(daemon.log.lines(containing: "service manager: ").count == 2, "\(daemon.log.text)")
    try Signal(rawValue: SIGSTOP).send(to: try daemon.listener("daytime"))
    try fill(bound.socket, at: path)
    try expectStop(daemon)
  }

  @Test func theServiceManagerFromTheStart() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("notify")
    let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    try fill(bound.socket, at: path)
    let daemon = try Daemon(Self.configuration, in: directory, environment: ["NOTIFY_SOCKET=\(path)"])
    try daemon.log.awaitLines(containing: "service manager: send \(path): Resource temporarily unavailable")
    // What it missed is said as soon as it reads.
    #expect(try eventually(within: .seconds(15)) { try readAll(bound.socket).contains { $0.contains("READY=1") } })
    try expectWork(daemon)
    try expectStop(daemon)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"), arguments: ["journal", "syslog"])
  func theLog(target: String) throws {
    let directory = try TemporaryDirectory()
    try directory.make("log")
    let path = directory.path("log/socket")
    let bound = try UnixSocketFile.bind(at: path, kind: .datagram, access: UnixSocketFile.Access())
    try fill(bound.socket, at: path)
    let mounts =
      target == "journal"
      ? """
      mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind \(directory.path("log")) /run/systemd/journal
      """
      : """
      mkdir \(directory.path("dev")) && mount -t tmpfs none \(directory.path("dev")) && cd \(directory.path("dev")) &&
      for file in null zero random urandom tty; do touch $file && mount --bind /dev/$file $file || exit 1; done &&
      ln -s \(path) log && mount --move \(directory.path("dev")) /dev
      """
    let script = "mount --make-rprivate / && \(mounts) && cd / && exec \"$0\" \"$@\""
    let daemon = try Daemon(
      "[daemon]\nlog-target = \"\(target)\"\n" + Self.configuration, in: directory,
      wrapper: [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", script])
    for _ in 0..<20 { #expect(Expected.isDaytime(try ask(daemon.address("daytime")))) }
    #expect(daemon.log.text == "", "the log went elsewhere")
    try expectWork(daemon)
    #expect(try eventually { try lostMessages(daemon) >= 20 })
    // It lost what there was no room for, and says so when there is.
    _ = try readAll(bound.socket)
    #expect(Expected.isDaytime(try ask(daemon.address("daytime"))))
    #expect(try eventually { try readAll(bound.socket).contains { $0.contains("messages lost, ") } })
    try fill(bound.socket, at: path)
    try expectStop(daemon)
  }

  /// Messages and records that begatd says it could not write.
  private func lostMessages(_ daemon: Daemon) throws -> Int {
    let status = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
    return try #require((status["begatd"] as? [String: Any])?["lost-log-messages"] as? Int)
  }

  @Test func standardError() throws {
    let full = try fullPipe()
    let daemon = try Daemon(
      Self.configuration, in: try TemporaryDirectory(), wrapper: shell("exec \"$0\" \"$@\" 2>&4 4>&-"),
      passing: [full.writeEnd.number])
    for _ in 0..<20 { #expect(Expected.isDaytime(try ask(daemon.address("daytime")))) }
    try expectWork(daemon)
    #expect(try eventually { try lostMessages(daemon) >= 20 })
    try expectStop(daemon)
    #expect(full.readEnd.number >= 0)
  }

  @Test func theTerminal() throws {
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    // As Ctrl-S does it.
    #expect(tcflow(side.number, TCOOFF) == 0)
    let daemon = try Daemon(
      Self.configuration, in: try TemporaryDirectory(), wrapper: shell("exec \"$0\" \"$@\" >&4 2>&4 4>&-"),
      passing: [side.number])
    for _ in 0..<20 { #expect(Expected.isDaytime(try ask(daemon.address("daytime")))) }
    try expectWork(daemon)

    // The table was kept for it.
    #expect(tcflow(side.number, TCOON) == 0)
    var shown = ""
    var chunk = [UInt8](repeating: 0, count: 4096)
    while !shown.contains("Ctrl-C stops it."),
      terminal.controlling.wait(for: .readable, until: UnixCore.Deadline(after: .seconds(5)))
    {
      let count = try chunk.withUnsafeMutableBytes { try terminal.controlling.read(into: $0) }
      shown += String(decoding: chunk[..<count], as: UTF8.self)
    }
    #expect(shown.contains("is ready: 2 services") && shown.contains("Ctrl-C stops it."), "\(shown)")
    #expect(tcflow(side.number, TCOOFF) == 0)
    try expectStop(daemon)
  }

  /// A shell's background job that writes is stopped by the terminal, where stty(1) says so.
  @Test func theTerminalInItsBackground() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let file = try directory.write(
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\"]\n", to: "begatd.toml")
    let terminal = try PseudoTerminal()
    let side = try terminal.openTerminalSide()
    var program = Program(
      path: "/bin/bash",
      arguments: ["-c", "set -m; stty tostop; \"$0\" --config \"$1\" & wait", try Programs.begatd(), file],
      environment: .init(
        entries: RunningProgram.environment + [
          "RUNTIME_DIRECTORY=\(directory.path("run"))", "STATE_DIRECTORY=\(directory.path("state"))",
        ]))
    program.controlsTerminal = true
    let bash = try program.start(descriptors: [side.number, side.number, side.number])
    defer {
      for facts in ProcessFacts.descendants(of: bash) { try? Signal.kill.send(to: facts.process) }
      try? Signal.kill.send(to: bash)
      _ = try? Children.wait(for: bash)
    }
    #expect(eventually(within: .seconds(10)) { (try? ask(path, "x")) == [120] })
    let begatd = try #require(ProcessFacts.children(of: bash).first { $0.title.contains("--config") })
    #expect(try ask(path, "served") == Array("served".utf8))
    #expect(ProcessFacts(begatd.process)?.isStopped == false)
    try Signal.terminate.send(to: begatd.process)
    #expect(eventually { ProcessFacts(begatd.process).map(\.isZombie) ?? true })
  }

  @Test func theReaderOfReadiness() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let file = try directory.write(
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\"]\n", to: "begatd.toml")
    let full = try fullPipe()
    let begatd = try RunningProgram(
      try Programs.begatd(), ["--config", file, "--ready-fd", "3"], passing: [full.writeEnd.number])
    try begatd.errors.awaitLines(containing: "is ready")
    let listener = try #require(ProcessFacts.children(of: begatd.process).first).process
    try Signal.kill.send(to: listener)
    let watch = Stopwatch()
    #expect(try ask(path, "served") == Array("served".utf8))
    #expect(watch.elapsed < .seconds(1))

    // Then it reads: the line comes, and the end.
    let reading = full.readEnd
    _ = consume full.writeEnd
    let rest = String(decoding: try reading.readPrefix(1 << 20, until: .init(after: .seconds(5))), as: UTF8.self)
    #expect(rest.hasSuffix("echo \(path)\n"))
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd(within: .seconds(3)) == .exited(code: 0))
  }

  @Test func theResolver() throws {
    let directory = try TemporaryDirectory()
    let socket = try FakeManager(in: directory)
    let daemon = try Daemon(
      Self.configuration + SampleConfiguration.service("hello"), in: directory,
      environment: [socket.variable, "WATCHDOG_USEC=600000"])
    func resolver() -> pid_t? {
      ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") && !$0.isZombie }?.process
    }
    let stuck = try #require(resolver())
    try Signal(rawValue: SIGSTOP).send(to: stuck)
    try expectWork(daemon)
    try daemon.log.awaitLines(containing: "names: the resolver does not answer; ended")
    #expect(eventually { resolver().map { $0 != stuck } ?? false })
    try daemon.log.awaitLines(containing: "names: the resolver works again")
    #expect(try ask(daemon.address("hello")).starts(with: Array("Hello there, ".utf8)))

    try Signal(rawValue: SIGSTOP).send(to: try #require(resolver()))
    try expectStop(daemon)
  }

  // MARK: What must go on

  /// A killed listener is replaced and serves within a second.
  private func expectWork(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let old = try daemon.listener("echo")
    try Signal.kill.send(to: old)
    let watch = Stopwatch()
    #expect(
      try ask(daemon.address("echo"), "served") == Array("served".utf8), sourceLocation: sourceLocation)
    #expect(watch.elapsed < .seconds(1), "\(watch.elapsed)", sourceLocation: sourceLocation)
    #expect(try daemon.listener("echo") != old, sourceLocation: sourceLocation)
  }

  private func expectStop(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
    daemon.noteProcesses()
    for facts in ProcessFacts.children(of: daemon.process) where facts.isStopped {
      // A stopped listener is waited for; that is another test.
      if !facts.title.contains("--resolve-names") { try Signal(rawValue: SIGCONT).send(to: facts.process) }
    }
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    try daemon.awaitEnd(within: .seconds(5), sourceLocation: sourceLocation)
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)", sourceLocation: sourceLocation)
  }

  private func fullPipe() throws -> PipeEnds {
    let ends = try PipeEnds()
    try ends.writeEnd.setNonBlocking(true)
    let chunk = [UInt8](repeating: 46, count: 65_536)
    while (try? chunk.withUnsafeBytes({ try ends.writeEnd.write($0) })) != nil {}
    let single: [UInt8] = [46]
    while (try? single.withUnsafeBytes({ try ends.writeEnd.write($0) })) != nil {}
    try ends.writeEnd.setNonBlocking(false)
    return ends
  }

  /// Sends datagrams until no more fit.
  private func fill(_ socket: borrowing Descriptor, at path: String) throws {
    let sender = try Descriptor.socket(family: .unix, kind: .datagram)
    try ClientSocket.connect(sender, to: .unixPath(UnixPath(path)))
    let text = Array("FILLED=1".utf8)
    for _ in 0..<10_000 {
      guard (try? text.withUnsafeBytes({ try sender.send($0, waiting: false) })) != nil else { return }
    }
    Issue.record("the socket is never full")
  }

  /// Takes what has come by now.
  @discardableResult
  private func readAll(_ socket: borrowing Descriptor) throws -> [String] {
    var texts: [String] = []
    var room = [UInt8](repeating: 0, count: 65_536)
    while let count = try? room.withUnsafeMutableBytes({ try socket.receive(into: $0, waiting: false) }) {
      texts.append(String(decoding: room[..<count], as: UTF8.self))
    }
    return texts
  }
}
