import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs as commands of the command server.
@Suite(.timeLimit(.minutes(30)))
struct AddedCommandTests {
  private static func commands(_ commands: [(name: String, words: [String])], _ lines: String...) -> String {
    let table = commands.map { "\($0.name) = \(SampleConfiguration.list($0.words))\n" }.joined()
    return SampleConfiguration.service("command", lines.joined(separator: "\n")) + "[service.command.commands]\n"
      + table
  }

  @Test func helpNamesThem() throws {
    let configuration = Self.commands([("disk", ["/bin/df"]), ("up-time_2", ["/usr/bin/uptime"])])
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let help = try client.answer(to: "help")
      #expect(help == "Commands: quit date who cookie motd disk up-time_2\r\n")
      #expect(try client.answer(to: "nonsense") == help)
      #expect(try client.answer(to: "disk").hasPrefix("Filesystem"))
    }
  }

  @Test func argumentsArriveAsTheyAreConfigured() throws {
    let words = [
      "$(id)", "`id`", "two  words", "*", "~", "$HOME", "a;b", "a|b>c", "", "\\n", "'q'", "\"d\"", "caf\u{e9}", "-n",
    ]
    let configuration = Self.commands([("args", ["/usr/bin/printf", "<%s>\\n"] + words)])
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let wanted = words.map { "<\($0)>\r\n" }.joined()
      #expect(try client.answer(to: "args") == wanted)
      #expect(try client.answer(to: "ARGS") == wanted)
      // What the client says further is nobody's argument.
      #expect(try client.answer(to: "args more; id $(id) -x ../../etc/passwd") == wanted)
      // The word is compared whole.
      #expect(try client.answer(to: "args;id") == "Commands: quit date who cookie motd args\r\n")
      #expect(try client.answer(to: "./args") == "Commands: quit date who cookie motd args\r\n")
    }
  }

  /// Their output does not overtake the answers to earlier lines.
  @Test func answersKeepTheOrderOfTheLines() throws {
    try withDaemon(Self.commands([("say", ["/usr/bin/printf", "said\\n"])])) { daemon in
      let client = try Client(try daemon.address("command"))
      try client.send("help\nsay\nhelp\nsay\nquit\n")
      let help = "Commands: quit date who cookie motd say\r\nCommand? "
      let said = "said\r\nCommand? "
      #expect(try client.receiveText() == Expected.banner + Expected.prompt + help + said + help + said)
    }
  }

  @Test func linesEndInTheNetworksWay() throws {
    let configuration = Self.commands([
      ("lines", ["/usr/bin/printf", "one\\ntwo\\r\\n\\nfour"]), ("none", ["/bin/true"]), ("empty", ["/bin/cat"]),
    ])
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let lines = try client.answer(to: "lines")
      #expect(lines == "one\r\ntwo\r\n\r\nfour" || lines == "one\r\ntwo\r\n\r\nfour\r\n", "\(escaped(lines.utf8))")
      #expect(try client.answer(to: "none") == "")
      #expect(try client.answer(to: "empty") == "", "its input is empty")
    }
  }

  @Test func theClientIsToldInVariables() throws {
    let configuration = Self.commands([("env", ["/usr/bin/env"])], "environment = { COLOUR = \"blue green\" }")
    try withDaemon(configuration, environment: ["TCPREMOTEHOST=forged", "LD_BIND_NOT=1"]) { daemon in
      let address = try daemon.address("command")
      let client = try session(address)
      let port = try #require(client.address().split(separator: ":").last)
      let wanted = [
        "PATH=/usr/local/bin:/usr/bin:/bin", "COLOUR=blue green", "PROTO=TCP", "TCPLOCALIP=127.0.0.1",
        "TCPLOCALPORT=\(try daemon.port("command"))", "TCPREMOTEIP=127.0.0.1", "TCPREMOTEPORT=\(port)",
        "TCPCONNNUM=1", "REMOTE_ADDR=127.0.0.1", "REMOTE_PORT=\(port)",
      ]
      for _ in 0..<2 {
        #expect(
          try client.answer(to: "env").split(separator: "\r\n").map(String.init).sorted() == wanted.sorted())
      }
    }
  }

  @Test func theyFindThreeDescriptorsAndNoSignals() throws {
    let script =
      "for n in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$n; done; "
      // Read by the shell itself: while it forks it blocks all signals.
      + "while read -r l; do case $l in SigBlk*|SigIgn*|NoNew*) echo \"$l\";; esac; done < /proc/$$/status"
    try withDaemon(Self.commands([("state", ["/bin/sh", "-c", script])])) { daemon in
      let client = try session(try daemon.address("command"))
      let lines = try client.answer(to: "state").split(separator: "\r\n").map(String.init)
      try #require(lines.count == 6, "\(lines)")
      #expect(lines[0] == "/dev/null" && lines[1].hasPrefix("pipe:") && lines[2].hasPrefix("pipe:"))
      #expect(lines[1] != lines[2])
      #expect(lines[3] == "SigBlk:\t0000000000000000")
      // But for two of the C library's own, see ProgramStateTests.
      let isDefault = lines[4].contains(/^SigIgn:\t0000000[01][08]0000000$/)
      #expect(isDefault, "\(lines[4])")
      #expect(lines[5] == "NoNewPrivs:\t1")
    }
  }

  @Test func errorsGoToTheLog() throws {
    let configuration = Self.commands([("fail", ["/bin/sh", "-c", "echo shown; echo not shown >&2; exit 5"])])
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      #expect(try client.answer(to: "fail") == "shown\r\n")
      try daemon.log.awaitLines(containing: ": program: not shown")
    }
  }

  @Test func longOutputIsCut() throws {
    let configuration = Self.commands([
      ("endless", ["/usr/bin/yes"]), ("fitting", ["/usr/bin/head", "-c", "65536", "/dev/zero"]),
      ("over", ["/usr/bin/head", "-c", "65537", "/dev/zero"]),
    ])
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let note = "\r\n(The rest of the output is left out.)\r\n"
      let lines = String(repeating: "y\r\n", count: 32_768)
      #expect(try client.answer(to: "endless") == lines + note)
      let zeros = String(repeating: "\0", count: 65_536)
      #expect(try client.answer(to: "fitting") == zeros)
      #expect(try client.answer(to: "over") == zeros + note)
      #expect(try commandProcesses(daemon).isEmpty)
    }
  }

  @Test func slowOnesAreEnded() throws {
    let scripts = [
      ("slow", "echo $$; exec sleep 300"), ("deaf", "trap '' TERM; sleep 300 & echo $$ $!; wait"),
      ("closing", "echo $$; exec >/dev/null; sleep 300"),
      ("father", "sleep 300 & echo $!"),
    ]
    try withDaemon(Self.commands(scripts.map { ($0.0, ["/bin/sh", "-c", $0.1]) })) { daemon in
      let clients = try scripts.map { _ in try session(try daemon.address("command")) }
      let watch = Stopwatch()
      for (client, script) in zip(clients, scripts) { try client.send(script.0 + "\n") }
      for (client, script) in zip(clients, scripts) {
        let answer = try client.receive(until: Expected.prompt, within: .seconds(15))
        let isLate = answer.hasSuffix("\r\n(The command took too long and was ended.)\r\n" + Expected.prompt)
        #expect(isLate == (script.0 != "closing"), "\(script.0): \(answer)")
        if isLate {
          #expect(watch.elapsed > .milliseconds(9500) && watch.elapsed < .seconds(13), "\(script.0) \(watch.elapsed)")
        }
        let processes = try processNumbers(answer)
        defer { for process in processes { try? Signal.kill.send(to: process) } }
        #expect(eventually(within: .seconds(2)) { areGone(processes) }, "\(script.0): a process is left")
        // The session goes on.
        #expect(try client.answer(to: "help").hasPrefix("Commands: "))
      }
      #expect(try commandProcesses(daemon).isEmpty)
    }
  }

  @Test func aClientThatLeavesLeavesNobody() throws {
    let configuration = Self.commands([("endless", ["/bin/sh", "-c", "echo $$; exec yes"])], "idle-timeout = \"1s\"")
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      try client.send("endless\n")
      let processes = try processNumbers(
        String(decoding: try client.receive { $0.contains(10) }.prefix { $0 != 13 }, as: UTF8.self))
      client.hangUp()
      #expect(eventually { areGone(processes) }, "a process is left")
      _ = try daemon.awaitConnections(0, of: "command")
    }
  }

  /// The limits are for what the client is slow to do.
  @Test func oneThatTakesLongerThanTheIdleTimeoutIsNotCutOff() throws {
    let configuration = Self.commands(
      [("slow", ["/bin/sh", "-c", "sleep 2; echo done"])], "idle-timeout = \"1s\"", "first-byte-timeout = \"1s\"")
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      for _ in 0..<2 { #expect(try client.answer(to: "slow") == "done\r\n") }
      #expect(client.awaitEnd(within: .seconds(3)))
      try daemon.log.awaitLines(containing: "bytes, idle-timeout")
    }
  }

  /// The command's own child, too.
  @Test func aClientThatReadsNothingLeavesNobody() throws {
    let scripts = [("endless", ["/bin/sh", "-c", "sleep 300 & echo $$ $!; head -c 65000 /dev/zero; exec yes"])]
    try withDaemon(Self.commands(scripts, "idle-timeout = \"1s\"")) { daemon in
      let script = """
        import socket, sys
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", int(sys.argv[1])))
        client.sendall(b"endless\\n" * 40)
        text = b""
        while b"\\r\\n" not in text.split(b"Command? ")[-1]: text += client.recv(100)
        print(text.split(b"Command? ")[-1].decode().split("\\r\\n")[0], flush=True)
        sys.stdin.read()
        """
      let client = try RunningProgram(
        try Programs.tool("python3"), ["-c", script, try daemon.port("command")], input: .pipe)
      let processes = try processNumbers(try client.output.awaitLines(containing: " ")[0])
      let line = try daemon.log.awaitLines(containing: "command: pid ", within: .seconds(20))[0]
      #expect(line.hasSuffix("bytes, idle-timeout"), "\(line)")
      #expect(eventually { areGone(processes) }, "a process is left")
      #expect(try commandProcesses(daemon).isEmpty)
      client.endInput()
    }
  }

  @Test func aStopLeavesNobody() throws {
    let scripts = [("deaf", ["/bin/sh", "-c", "trap '' TERM; sleep 300 & echo $$ $!; wait"])]
    try withDaemon(Self.commands(scripts)) { daemon in
      let client = try session(try daemon.address("command"))
      try client.send("deaf\n")
      let processes = try processNumbers(try client.receive(until: "\r\n"))
      defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
      try Signal.terminate.send(to: try daemon.awaitConnections(1, of: "command")[0])
      let line = try daemon.log.awaitLines(containing: "command: pid ")[0]
      #expect(line.hasSuffix("bytes, ended by SIGTERM"), "\(line)")
      #expect(eventually { areGone(processes) }, "a process is left")
    }
  }

  @Test func oneThatVanishedIsExcused() throws {
    let configuration = { (directory: TemporaryDirectory) in
      Self.commands([("fleeting", [try directory.writeScript("echo here", to: "program")])])
    }
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let (path, aside) = (daemon.directory.path("program"), daemon.directory.path("aside"))
      #expect(try client.answer(to: "fleeting") == "here\r\n")
      #expect(rename(path, aside) == 0)
      #expect(try client.answer(to: "fleeting") == "The command cannot be run; the log has the reason.\r\n")
      let line = try daemon.log.awaitLines(containing: "No such file or directory")[0]
      #expect(line.contains("fleeting: ") && line.contains(path), "\(line)")
      #expect(rename(aside, path) == 0)
      #expect(try client.answer(to: "fleeting") == "here\r\n")
    }
  }

  /// What runs below the listener besides its own.
  private func commandProcesses(_ daemon: Daemon) throws -> [String] {
    ProcessFacts.descendants(of: try daemon.listener("command")).filter { !$0.isZombie }.map {
      ProcessFacts.title($0.process)
    }
    .filter { !$0.hasPrefix("begat-listener: ") }
  }
}

extension Client {
  /// Types a command; its answer without the prompt behind it.
  fileprivate func answer(to command: String) throws -> String {
    try send(command + "\n")
    return String(
      decoding: try receive(until: Expected.prompt).utf8.dropLast(Expected.prompt.utf8.count), as: UTF8.self)
  }
}
