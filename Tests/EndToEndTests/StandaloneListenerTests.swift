import Testing
@_spi(Begat) import UnixCore

/// begat-listener as tcpserver is used: without begatd.
@Suite(.timeLimit(.minutes(30)))
struct StandaloneListenerTests {
  @Test func servesAndStops() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("daytime.sock")
    let listener = try StandaloneListener(
      "daytime",
      ["--listen-stream", "127.0.0.1:0", "--listen-stream", path, "--listen-datagram", "127.0.0.1:0"])
    #expect(listener.addresses.count == 3)
    #expect(Expected.isDaytime(try ask(listener.addresses[0])))
    #expect(Expected.isDaytime(try ask(path)))
    #expect(Expected.isDaytime(try DatagramClient.ask(listener.addresses[2])))
    try listener.program.errors.awaitLines(2, containing: ", sent 26 bytes, complete")
    try listener.stop()
    #expect(try directory.names() == [])
  }

  @Test func letsConnectionsEndAfterTheFirstSignalAndEndsThemAtTheSecond() throws {
    let listener = try StandaloneListener("command")
    let client = try Client(listener.address)
    _ = try client.receive(until: Expected.prompt)
    try listener.program.send(.terminate)
    try listener.program.errors.awaitLines(containing: "1 connection may go on")
    try client.send("help\n")
    #expect(try client.receive(until: Expected.prompt) == Expected.help + Expected.prompt)
    try listener.stop()
    #expect(client.awaitEnd())
  }

  @Test func servesStandardInputAndOutput() throws {
    func serve(_ service: String, _ input: RunningProgram.Input = .nothing) throws -> RunningProgram {
      let program = try RunningProgram.run(try Programs.listener(), ["--serve", service, "--stdio"], input: input)
      #expect(program.status == .exited(code: 0), "\(service): \(program.errors.text)")
      return program
    }
    #expect(Expected.isDaytime(try serve("daytime").output.bytes))
    #expect(Expected.isTime(try serve("time").output.bytes))
    #expect(try serve("echo", .text("a\0b")).output.text == "a\0b")
    #expect(try serve("discard", .text("a\0b")).output.text == "")
    #expect(try serve("hello").output.text.hasPrefix("Hello there, it's now "))
    let replies = Expected.banner + Expected.prompt + Expected.help + Expected.prompt
    #expect(try serve("command", .text("help\nquit\n")).output.text == replies)
    #expect(try serve("command", .text("help\n")).output.text == replies)
  }

  @Test func chargenOnStandardOutputEndsWithItsReader() throws {
    let shell = try RunningProgram.tool(
      "sh", ["-c", "\"$0\" --serve chargen --stdio </dev/null | head -c 1000", try Programs.listener()])
    #expect(shell.output.bytes == Expected.pattern(1000))
    let warning = Machine.isRoot ? "begat-listener: chargen: serves as root; give it a user with --user\n" : ""
    #expect(shell.errors.text == warning)
  }

  @Test(arguments: [("0<&-", "input"), ("1>&-", "output"), ("0<&- 1>&-", "input")])
  func saysWhichStandardStreamIsClosed(_ redirection: String, _ stream: String) throws {
    let shell = try RunningProgram.tool(
      "sh", ["-c", "\"$0\" --serve hello --stdio \(redirection); echo $? >&2", try Programs.listener()])
    #expect(shell.errors.text == "begat-listener: hello: standard \(stream) is closed\n1\n")
    #expect(shell.output.text == "")
  }

  @Test(arguments: ["--help", "--version"])
  func failsWithoutAnOutputForItsText(_ option: String) throws {
    let shell = try RunningProgram.tool("sh", ["-c", "\"$0\" \(option) >&-; echo $?", try Programs.listener()])
    #expect(shell.output.text == "1\n")
  }

  @Test func namesEveryOptionInItsHelp() throws {
    let help = try RunningProgram.run(try Programs.listener(), ["--help"])
    #expect(help.status == .exited(code: 0))
    for option in [
      "serve", "name", "listen-stream", "listen-datagram", "socket", "stdio", "backlog", "max-connections",
      "max-connections-per-source", "rate", "rate-per-source", "source-prefix.ipv4", "source-prefix.ipv6", "when-full",
      "refusal", "allow", "deny", "deny-time", "deny-exempt",
      "proxy-from", "proxy-timeout", "proxy-version",
      "max-duration", "free-bind", "bind-to-device", "first-byte-timeout", "idle-timeout", "keep-alive",
      "drain-timeout", "user", "group", "groups", "relay", "wait", "environment.NAME", "login-environment",
      "working-directory",
      "umask",
      "nice", "limit-memory", "limit-cpu", "limit-open-files", "limit-processes", "read-only-paths", "read-write-paths",
      "network", "allow-set-user-id", "sandbox", "commands.NAME", "socket-mode",
      "socket-user", "socket-group", "datagram-port", "fortune.databases", "fortune.offensive", "fortune.max-length",
      "channel", "scoreboard", "closing", "admission", "column", "bans", "ban-number", "names", "name-requests",
      "resolve-names", "log", "help", "version",
    ] { #expect(help.output.text.contains(try Regex("\n  --\(option)[ \n]")), "--\(option)") }
    #expect(help.errors.text == "")
  }

  @Test(arguments: [
    [], ["--serve"], ["--serve", "nothing"], ["--nonsense"], ["--serve", "echo", "more"], ["-x"],
    ["--serve", "echo", "--max-connections", "0"], ["--serve", "echo", "--idle-timeout", "soon"],
    ["--serve", "echo", "--user", "no-such-user"], ["--serve", "echo", "--socket", "-1"],
    ["--serve", "echo", "--rate", "5"], ["--serve", "echo", "--allow", "nobody"],
    ["--serve", "echo", "--source-prefix.ipv4", "64"], ["--serve", "echo", "--when-full", "drop"],
    ["--serve", "echo", "--max-duration", "0"], ["--serve", "echo", "--keep-alive", "perhaps"],
    ["--serve", "echo", "--stdio=yes"], ["--serve", "echo", "--socket", "9", "--socket", "9"],
    ["--serve", "echo", "--channel", "9", "--socket", "9"],
    ["--serve", "hello", "--listen-stream", "127.0.0.1:0", "--names", "9"],
  ])
  func refusesWrongOptions(_ options: [String]) throws {
    let program = try RunningProgram.run(try Programs.listener(), options)
    #expect(program.status == .exited(code: 64))
    #expect(program.errors.lines.count == 1 && program.output.text == "", "\(program.errors.text)")
  }

  @Test func keepsLimitsAndRules() throws {
    let listener = try StandaloneListener(
      "command",
      [
        "--listen-stream", "127.0.0.1:0", "--max-connections-per-source", "2", "--deny", "127.0.0.2", "--refusal", "no",
        "--max-duration", "3s",
      ])
    #expect(try Crowd(3, at: listener.address, from: "127.0.0.2").refused == ["no\r\n", "no\r\n", "no\r\n"])
    let crowd = try Crowd(5, at: listener.address, from: "127.0.0.3")
    #expect(crowd.served.count == 2 && crowd.refused == ["no\r\n", "no\r\n", "no\r\n"])
    for client in crowd.served { #expect(client.awaitEnd()) }
    try listener.program.errors.awaitLines(2, containing: "bytes, max-duration")
    try listener.stop()
  }

  @Test func servesWithASmallStack() throws {
    let prlimit = try Programs.tool("prlimit")
    let program = try RunningProgram(
      prlimit,
      [
        "--stack=65536:", try Programs.listener(), "--serve", "hello", "--listen-stream", "127.0.0.1:0",
        "--listen-stream",
        "[::1]:0",
      ])
    let line = try program.errors.awaitLines(containing: "ready on ")[0]
    let address = try #require(line.split(separator: " ").first { $0.hasPrefix("127.") }).dropLast()
    for _ in 0..<3 { #expect(try ask(String(address)).starts(with: Array("Hello there, ".utf8))) }
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0), "\(program.errors.text)")
  }

  @Test func isStaticAndHasOneThreadAndNoHandler() throws {
    let readelf = try RunningProgram.tool("readelf", ["-lW", try Programs.listener()])
    #expect(!readelf.output.text.contains("INTERP"))
    let listener = try StandaloneListener("echo")
    _ = try ask(listener.address, "x")
    #expect(ProcessFacts.statusLine("Threads", of: listener.program.process) == "1")
    #expect(ProcessFacts.statusLine("SigCgt", of: listener.program.process) == "0000000000000000")
    try listener.stop()
  }
}
