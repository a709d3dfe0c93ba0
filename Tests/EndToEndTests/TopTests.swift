import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat top` and `--watch` on a terminal, which is left as it was whatever happens.
@Suite(.timeLimit(.minutes(30)))
struct TopTests {
  private var deadline: UnixCore.Deadline { UnixCore.Deadline(after: .seconds(20)) }
  /// The cursor is shown again, and the ordinary screen.
  private static let left = "\u{1b}[?25h\u{1b}[?1049l"

  private static let echo = SampleConfiguration.service("echo")

  /// A shell with job control, for which begatd's directory is the usual one.
  private func startShell(_ directory: String) throws -> TerminalConversation {
    var shell = try TerminalConversation.shell(
      ["TERM=xterm", "RUNTIME_DIRECTORY=\(directory)", "SWIFT_BACKTRACE=enable=no"], until: deadline)
    try shell.sendLine("bind 'set enable-bracketed-paste off'", until: deadline)
    try shell.expect("$ ", until: deadline)
    return shell
  }

  private func startShell(_ daemon: Daemon) throws -> TerminalConversation {
    try startShell(daemon.directory.path("run"))
  }

  private func openConnection(_ daemon: Daemon) throws -> Client {
    let client = try Client(try daemon.address("echo"))
    try client.send("x")
    _ = try client.receive(count: 1)
    return client
  }

  @Test func keysEndConnectionsAndDrainServices() throws {
    try withDaemon(Self.echo) { daemon in
      let client = try openConnection(daemon)
      var shell = try startShell(daemon)
      let before = try shell.settings(until: deadline)
      try shell.sendLine("$BEGAT top", until: deadline)
      try shell.expect("\u{1b}[?1049h", until: deadline)
      try shell.expect("1 open", until: deadline)
      try shell.expect("127.0.0.1:", until: deadline)
      try shell.expect(.regex(#/echo\/1\.\d+\.\w+/#), until: deadline)
      try shell.send("\u{1b}[Bk", until: deadline)
      try shell.expect("y/n", until: deadline)
      try shell.send("y", until: deadline)
      try shell.expect("1 connection is ended", until: deadline)
      #expect(client.awaitEnd())
      try shell.expect("no connections", until: deadline)
      try shell.send("\td", until: deadline)
      try shell.expect("drain (y/n)? echo", until: deadline)
      try shell.send("y", until: deadline)
      try shell.expect("drained", until: deadline)
      try shell.send("q", until: deadline)
      try shell.expect(.literal(Self.left), until: deadline)
      try shell.expect("$ ", until: deadline)
      #expect(try shell.status(until: deadline) == "0")
      #expect(try shell.settings(until: deadline) == before)
    }
  }

  @Test(
    arguments: [
      ("INT", "130"), ("TERM", "143"), ("HUP", "129"), ("QUIT", "131"), ("PIPE", "141"), ("USR1", "138"),
      ("SEGV", "139"), ("ABRT", "134"),
    ])
  func aSignalLeavesTheTerminalAsItWas(signal: String, code: String) throws {
    try withDaemon(Self.echo) { daemon in
      var shell = try startShell(daemon)
      let before = try shell.settings(until: deadline)
      for command in ["top", "ps --watch=200ms", "status --watch"] {
        try shell.sendLine("ulimit -c 0; $BEGAT \(command) & fg", until: deadline)
        let match = try shell.expect(.regex(#/\] (\d+)\r\n/#), until: deadline)
        try shell.expect("\u{1b}[?1049h", until: deadline)
        try shell.expect(command == "status --watch" ? "127.0.0.1" : "PEER", until: deadline)
        try #require(Signal(signal)).send(to: try #require(match.capture(1).flatMap { pid_t($0) }))
        try shell.expect(.literal(Self.left), until: deadline)
        try shell.expect("$ ", until: deadline)
        #expect(try shell.status(until: deadline) == code, "\(command)")
        #expect(try shell.settings(until: deadline) == before, "\(command)")
      }
    }
  }

  @Test func stopsAndGoesOn() throws {
    try withDaemon(Self.echo) { daemon in
      var shell = try startShell(daemon)
      let before = try shell.settings(until: deadline)
      try shell.sendLine("$BEGAT top", until: deadline)
      try shell.expect("q quit", until: deadline)
      try shell.sendControl("z", until: deadline)
      try shell.expect(.literal(Self.left), until: deadline)
      try shell.expect("Stopped", until: deadline)
      try shell.expect("$ ", until: deadline)
      #expect(try shell.settings(until: deadline) == before)
      // In the background it draws nothing, and is stopped again.
      try shell.sendLine("bg; wait; echo wai\"\"ted", until: deadline)
      let match = try shell.expect("waited", until: deadline)
      #expect(!match.textBefore.contains("q quit"), "\(match.textBefore)")
      try shell.sendLine("fg", until: deadline)
      try shell.expect("\u{1b}[?1049h", until: deadline)
      try shell.expect("q quit", until: deadline)
      try shell.sendControl("c", until: deadline)
      try shell.expect(.literal(Self.left), until: deadline)
      try shell.expect("$ ", until: deadline)
      #expect(try shell.status(until: deadline) == "130")
      #expect(try shell.settings(until: deadline) == before)
    }
  }

  @Test func followsTheWindow() throws {
    try withDaemon(Self.echo) { daemon in
      var shell = try startShell(daemon)
      try shell.sendLine("$BEGAT top", until: deadline)
      try shell.expect("\u{1b}[24;1H", until: deadline)
      // With the first answer: a line that it does not change is not drawn again behind it.
      try shell.expect("serving", until: deadline)
      try shell.resize(to: TerminalSize(columns: 200, rows: 50))
      try shell.expect("15MIN", until: deadline)
      try shell.expect("\u{1b}[50;1H", until: deadline)
      try shell.resize(to: TerminalSize(columns: 30, rows: 7))
      try shell.expect("\u{1b}[7;1H", until: deadline)
      try shell.send("q", until: deadline)
      try shell.expect(.literal(Self.left), until: deadline)
    }
  }

  @Test func anAbsentOrStoppedBegatdIsNoEnd() throws {
    try withDaemon(Self.echo) { daemon in
      var shell = try startShell(daemon)
      let before = try shell.settings(until: deadline)
      try shell.sendLine("$BEGAT top --interval 200ms", until: deadline)
      try shell.expect("q quit", until: deadline)
      // Stopped, it does not answer, and keys work all the same.
      try Signal.stop.send(to: daemon.process)
      defer { try? Signal.continue.send(to: daemon.process) }
      try shell.send("/", until: deadline)
      try shell.expect("filter: ", until: deadline)
      try shell.send("\r", until: deadline)
      try Signal.continue.send(to: daemon.process)
      try daemon.stop()
      try shell.expect("no begatd answers at", until: deadline)
      let again = try Daemon(Self.echo, in: daemon.directory)
      defer { again.kill() }
      try shell.expect("q quit", until: deadline)
      try again.stop()
      try shell.expect("no begatd answers at", until: deadline)
      try shell.send("q", until: deadline)
      try shell.expect(.literal(Self.left), until: deadline)
      try shell.expect("$ ", until: deadline)
      #expect(try shell.status(until: deadline) == "0")
      #expect(try shell.settings(until: deadline) == before)
      // At the start there is nothing to show.
      try shell.sendLine("$BEGAT top", until: deadline)
      let match = try shell.expect("no begatd answers at", until: deadline)
      #expect(!match.textBefore.contains("\u{1b}[?1049h"))
      try shell.expect("$ ", until: deadline)
      #expect(try shell.status(until: deadline) == "1")
    }
  }

  @Test(arguments: [false, true])
  func aTerminalThatHangsUpEndsIt(isIgnored: Bool) throws {
    try withDaemon(Self.echo) { daemon in
      var program = Program(
        path: try Programs.begat(), arguments: ["top"],
        environment: .init(
          entries: RunningProgram.environment + ["RUNTIME_DIRECTORY=\(daemon.directory.path("run"))"]))
      program.controlsTerminal = true
      if isIgnored { program.ignoredSignals.insert(.hangUp) } else { program.ignoredSignals.remove(.hangUp) }
      let terminal = try PseudoTerminal()
      let side = try terminal.openTerminalSide()
      let child = try program.spawn(descriptors: [side.number, side.number, side.number])
      _ = consume side
      var shown = ""
      while !shown.contains("q quit") {
        guard terminal.controlling.wait(for: .readable, until: deadline) else { throw HarnessFailure(shown) }
        shown += String(decoding: try terminal.controlling.read(maxCount: 65_536), as: UTF8.self)
      }
      _ = consume terminal
      #expect(child.status(until: deadline) == (isIgnored ? .exited(code: 1) : .killed(by: .hangUp, dumpedCore: false)))
    }
  }

  /// A begatd whose texts are all hostile: none of its bytes reach the terminal.
  @Test func hostileTextsAreShownEscaped() throws {
    let directory = try TemporaryDirectory()
    let hostile = #"\u001b]0;pwned\u0007\u009b31m\r\n"#
    let status = """
      {"version":1,"ok":true,"begatd":null,"services":[],"denials":[{"network":"\(hostile)","service":null,"remaining":null}]}
      """
    let connections = """
      {"version":1,"ok":true,"connections":[{"id":"echo/1.1.1","service":"echo","generation":1,"slot":1,\
      "peer":"\(hostile)","name":"\(hostile)","user":null,"pid":1,"listener":1,"age":1,"received":null,"sent":null,\
      "waits-for":null}],"omitted":0}
      """
    let path = directory.path("status")
    let script = """
      use IO::Socket::UNIX; $| = 1;
      my $server = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 9) or die; print "ready\\n";
      while (my $client = $server->accept) {
        my $request = <$client>; print $client ($request =~ /"ps"/ ? $ARGV[2] : $ARGV[1]), "\\n"; close $client;
      }
      """
    let peer = try startPerl(script, path, status, connections)
    defer { peer.kill() }
    try peer.output.awaitLines(containing: "ready")
    var shell = try startShell(directory.path)
    for command in ["top", "ps --watch", "status --watch"] {
      try shell.sendLine("$BEGAT \(command) --control \(path)", until: deadline)
      try shell.expect("\u{1b}[?1049h", until: deadline)
      let match = try shell.expect("\\x1b]0;pwned\\x07", until: deadline)
      try shell.send("q", until: deadline)
      let rest = try shell.expect(.literal(Self.left), until: deadline)
      let all = match.textBefore + rest.textBefore
      #expect(!all.contains("\u{1b}]") && !all.contains("\u{7}") && !all.contains("\u{9b}"), "\(command)")
      try shell.expect("$ ", until: deadline)
    }
    for command in [["ps"], ["status"], ["ps", "--json"], ["status", "--json"], ["top"]] {
      let program = try RunningProgram.run(try Programs.begat(), command + ["--control", path])
      #expect(program.status == .exited(code: 0), "\(command) \(program.errors.text)")
      #expect(program.output.text.contains("pwned"), "\(command)")
      #expect(program.output.bytes.allSatisfy { $0 == 10 || (0x20...0x7e).contains($0) }, "\(command)")
    }
  }
}
