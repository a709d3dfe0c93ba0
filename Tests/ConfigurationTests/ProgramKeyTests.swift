import Admission
import Settings
import Testing

@testable import Configuration

/// The keys about programs: what is executed, and how.
@Suite struct ProgramKeyTests {
  private static let cat = "[service.x]\nexec = [\"/bin/cat\", \"-u\"]\nlisten-stream = \"7\"\n"
  private static let command = "[service.x]\nserve = \"command\"\nlisten-stream = \"7\"\n"

  @Test("are read")
  func areRead() throws {
    let service = try Configuration.sample(
      ProgramKeyTests.cat + """
        working-directory = "/usr"
        umask = "0077"
        nice = -5
        limit-memory = "64M"
        limit-cpu = "1m30s"
        limit-open-files = 64
        limit-processes = 100
        environment = { LANG = "C.UTF-8", EMPTY = "", _x9 = "a=b c" }
        """
    ).services[0]
    #expect(service.mode.offer == .program(.connections))
    #expect(service.builtIn == nil && !service.waits)
    var program = ProgramSettings()
    program.workingDirectory = "/usr"
    program.umask = 0o077
    program.nice = -5
    program.limitMemory = 64 << 20
    program.limitCPU = 90
    program.limitOpenFiles = 64
    program.limitProcesses = 100
    program.environment = service.settings.program.environment
    #expect(service.settings.program == program)
    #expect(service.settings.program.environment.map(\.entry) == ["LANG=C.UTF-8", "EMPTY=", "_x9=a=b c"])
    #expect(
      try Configuration.sample(ProgramKeyTests.cat + "limit-memory = 4096").services[0].settings.program.limitMemory
        == 4096)
  }

  @Test("have defaults")
  func haveDefaults() throws {
    let service = try Configuration.sample(ProgramKeyTests.cat).services[0]
    #expect(service.settings.exec == ["/bin/cat", "-u"] && service.settings.program == ProgramSettings())
    #expect(service.settings.idleTimeout == .seconds(600) && service.settings.firstByteTimeout == nil)
    #expect(!service.settings.looksUpNames)
  }

  @Test("relay keeps time limits")
  func relayKeepsTime() throws {
    let service = try Configuration.sample(ProgramKeyTests.cat + "relay = true\nfirst-byte-timeout = \"1s\"").services[
      0]
    #expect(service.mode.offer == .program(.relayedConnections))
    #expect(service.settings.firstByteTimeout == .seconds(1) && service.settings.idleTimeout == .seconds(600))
  }

  @Test("wait hands the sockets over, and limits of [defaults] are for others")
  func waitHandsOver() throws {
    let service = try Configuration.sample(
      ProgramKeyTests.cat + """
        listen-datagram = "7"
        wait = true
        rate = "1/s"
        max-duration = "1h"
        [defaults]
        allow = "10.0.0.0/8"
        max-connections = 1
        idle-timeout = "1s"
        refusal = "no"
        """
    ).services[0]
    #expect(service.mode.offer == .program(.sockets) && service.waits)
    var limits = AdmissionLimits()
    limits.rate = RateLimit("1/s")
    #expect(service.settings.admission == limits && service.allow == nil)
    #expect(
      service.settings.refusal == nil && service.settings.idleTimeout == .seconds(600)
        && service.settings.maxDuration == .seconds(3600))
    #expect(service.datagramLimits == nil)
  }

  @Test("a service's own exec or serve goes before that of [defaults]")
  func ownOffersGoFirst() throws {
    let services = try Configuration.sample(
      """
      [defaults]
      serve = "echo"
      [service.a]
      listen-stream = "1"
      [service.b]
      exec = ["/bin/cat"]
      listen-stream = "2"
      """
    ).services
    #expect(services.map(\.mode.offer) == [.builtIn(.echo), .program(.connections)])
    let others = try Configuration.sample(
      """
      [defaults]
      exec = ["/bin/cat"]
      environment = { A = "b" }
      idle-timeout = "1s"
      relay = true
      commands = { files = ["/bin/ls"] }
      [service.a]
      listen-stream = "1"
      [service.b]
      serve = "echo"
      listen-stream = "2"
      [service.c]
      serve = "command"
      listen-stream = "3"
      [service.d]
      exec = ["/bin/ls"]
      listen-stream = "4"
      relay = false
      """
    ).services
    #expect(
      others.map(\.mode.offer) == [
        .program(.relayedConnections), .builtIn(.echo), .builtIn(.command), .program(.connections),
      ])
    #expect(others.map(\.settings.exec) == [["/bin/cat"], [], [], ["/bin/ls"]])
    #expect(others.map { $0.settings.program.environment.map(\.entry) } == [["A=b"], [], ["A=b"], ["A=b"]])
    #expect(others.map(\.settings.idleTimeout) == [.seconds(1), .seconds(1), .seconds(1), .seconds(600)])
    #expect(others.map(\.settings.commands.count) == [0, 0, 1, 0])
  }

  @Test("commands are read")
  func commandsAreRead() throws {
    let service = try Configuration.sample(
      ProgramKeyTests.command + "nice = 1\n[service.x.commands]\nfiles = [\"/bin/ls\", \"-l\"]\nx-9_ = [\"/bin/cat\"]"
    ).services[0]
    #expect(
      service.settings.commands == [
        AddedCommand(name: "files", words: ["/bin/ls", "-l"]), AddedCommand(name: "x-9_", words: ["/bin/cat"]),
      ])
    #expect(service.settings.program.nice == 1)
  }

  @Test(
    "say what is wrong with exec",
    arguments: [
      (
        "\"/bin/cat -u\"",
        [
          "8: exec: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found \"/bin/cat -u\"; write [\"/bin/cat\", \"-u\"]"
        ]
      ),
      (
        "[]",
        [
          "8: exec: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found an empty list"
        ]
      ),
      (
        "[\"cat\"]",
        [
          "9: exec: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found \"cat\" as its path"
        ]
      ),
      (
        "{}",
        [
          "8: exec: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found a table"
        ]
      ),
      ("[\"/bin/cat\", 1]", ["21: exec: expected a list of an absolute path and arguments in quotes, found 1"]),
      ("[\"/nonexistent\"]", ["9: exec: /nonexistent: No such file or directory"]),
      ("[\"/bin\"]", ["9: exec: /bin: expected a program, found a directory"]),
      ("[\"/dev/null\"]", ["9: exec: /dev/null: expected a program, found not a regular file"]),
      ("[\"/etc/passwd\"]", ["9: exec: /etc/passwd: begat-x may not execute it; set user or change its mode 0644"]),
    ])
  func sayWhatIsWrongWithExec(value: String, messages: [String]) {
    let text = "[service.x]\nlisten-stream = \"7\"\nexec = \(value)\n"
    #expect(Configuration.problems(text) == messages.map { located($0, line: 3, in: "service.x.") })
  }

  @Test("a NUL reaches no program")
  func aNULReachesNoProgram() {
    for line in ["exec = [\"/bin/cat\\u0000\"]", "environment = { A = \"x\\u0000\" }"] {
      let problems = Configuration.problems("[service.x]\n\(line)")
      #expect(
        problems.contains { $0.contains(", found a NUL in it") || $0.contains("found a NUL in it") }, "\(problems)")
    }
  }

  @Test(
    "say what is wrong with them",
    arguments: [
      ("serve = \"echo\"", ["t.toml:2:1: service.x.exec: expected either serve or exec; serve is at t.toml:4:1"]),
      (
        "environment = { 9A = \"x\" }",
        ["17: environment.9A: expected a variable's name of letters, digits and _, no digit first"]
      ),
      (
        "environment = { A-B = \"x\" }",
        ["17: environment.A-B: expected a variable's name of letters, digits and _, no digit first"]
      ),
      ("environment = { A = 1 }", ["17: environment.A: expected the variable's value in quotes, found 1"]),
      ("environment = { A = \"x\\ny\" }", ["17: environment.A: expected a value of one line, found a line feed in it"]),
      (
        "environment = [\"A=b\"]",
        ["15: environment: expected a table of variables such as { LANG = \"C.UTF-8\" }, found a list"]
      ),
      (
        "environment = { REMOTE_ADDR = \"x\" }",
        ["17: environment.REMOTE_ADDR: begat sets variables of this name itself: they tell programs who the client is"]
      ),
      (
        "working-directory = \"tmp\"",
        ["21: working-directory: expected the absolute path of a directory such as \"/srv\", found \"tmp\""]
      ),
      ("working-directory = \"/nonexistent\"", ["21: working-directory: /nonexistent: No such file or directory"]),
      ("working-directory = \"/bin/cat\"", ["21: working-directory: /bin/cat: not a directory"]),
      ("umask = 22", ["9: umask: expected permissions in octal digits such as \"0027\", found 22; write \"022\""]),
      ("nice = 20", ["8: nice: expected an integer from -20 to 19, found 20"]),
      (
        "limit-memory = \"64MB\"",
        ["16: limit-memory: expected a size above 0 such as \"64M\", or a number of bytes, found \"64MB\""]
      ),
      (
        "limit-memory = 0", ["16: limit-memory: expected a size above 0 such as \"64M\", or a number of bytes, found 0"]
      ),
      (
        "limit-cpu = \"1500ms\"",
        ["13: limit-cpu: expected a duration of whole seconds such as \"10s\" or \"5m\", found \"1500ms\""]
      ),
      (
        "limit-cpu = \"0s\"",
        ["13: limit-cpu: expected a duration of whole seconds such as \"10s\" or \"5m\", found \"0s\""]
      ),
      ("limit-open-files = 0", ["20: limit-open-files: expected an integer of at least 1, found 0"]),
      (
        "limit-processes = \"1\"",
        ["19: limit-processes: expected an integer of at least 1, found \"1\"; write 1 without quotes"]
      ),
      (
        "idle-timeout = \"1s\"",
        ["1: idle-timeout: needs relay = true with exec: otherwise nothing measures the client's time"]
      ),
      (
        "first-byte-timeout = \"1s\"",
        ["1: first-byte-timeout: needs relay = true with exec: otherwise nothing measures the client's time"]
      ),
      ("listen-datagram = \"7\"", ["1: listen-datagram: a program takes datagrams only with wait = true"]),
      (
        "relay = true\nwait = true",
        ["t.toml:5:1: service.x.wait: expected either relay or wait; relay is at t.toml:4:1"]
      ),
      ("fortune = { offensive = true }", ["13: fortune.offensive: a program tells no fortunes of begat's"]),
      ("commands = {}", ["1: commands: only with serve = \"command\""]),
    ] as [(String, [String])])
  func sayWhatIsWrong(line: String, messages: [String]) {
    let wanted = messages.map { $0.hasPrefix("t.toml") ? $0 : located($0, line: 4, in: "service.x.") }
    #expect(Configuration.problems(ProgramKeyTests.cat + line) == wanted)
  }

  @Test(
    "about clients have no effect with wait",
    arguments: [
      "allow = []", "deny = []", "max-connections = 1", "max-connections-per-source = 1", "rate-per-source = \"1/s\"",
      "when-full = \"wait\"", "refusal = \"no\"", "keep-alive = true", "idle-timeout = \"1s\"",
      "first-byte-timeout = \"1s\"",
    ])
  func haveNoEffectWithWait(line: String) throws {
    let key = try #require(line.split(separator: " ").first)
    #expect(
      Configuration.problems(ProgramKeyTests.cat + "wait = true\n" + line) == [
        "t.toml:5:1: service.x.\(key): has no effect with wait: the program itself accepts"
      ])
  }

  @Test(
    "need a program",
    arguments: [
      ("relay = false", ["1: relay: only with exec; echo is built in"]),
      ("wait = true", ["1: wait: only with exec; echo is built in"]),
      ("commands = {}", ["1: commands: only with serve = \"command\"; echo has no commands"]),
      ("umask = \"0022\"", ["1: umask: only with exec or commands; no program is executed here"]),
      ("environment = {}", ["1: environment: only with exec or commands; no program is executed here"]),
      ("limit-cpu = \"1s\"", ["1: limit-cpu: only with exec or commands; no program is executed here"]),
    ])
  func needAProgram(line: String, messages: [String]) {
    #expect(
      Configuration.problems("[service.x]\nserve = \"echo\"\nlisten-stream = \"7\"\n\(line)")
        == messages.map { located($0, line: 4, in: "service.x.") })
  }

  @Test(
    "say what is wrong with commands",
    arguments: [
      (
        "Files = [\"/bin/ls\"]",
        [
          "1: Files: expected a command's name of 1 to 32 lower-case letters, digits, - and _; use files: clients may type it in any case"
        ]
      ),
      (
        "\"a b\" = [\"/bin/ls\"]",
        ["1: \"a b\": expected a command's name of 1 to 32 lower-case letters, digits, - and _"]
      ),
      ("date = [\"/bin/date\"]", ["1: date: the command server has a command of this name itself; choose another"]),
      ("Quit = [\"/bin/date\"]", ["1: Quit: the command server has a command of this name itself; choose another"]),
      (
        "x = [\"ls\"]",
        [
          "6: x: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found \"ls\" as its path"
        ]
      ),
      (
        "x = \"/bin/ls\"",
        [
          "1: x: expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found \"/bin/ls\"; write [\"/bin/ls\"]"
        ]
      ),
      ("x = [\"/nonexistent\"]", ["6: x: /nonexistent: No such file or directory"]),
    ])
  func sayWhatIsWrongWithCommands(line: String, messages: [String]) {
    #expect(
      Configuration.problems(ProgramKeyTests.command + "[service.x.commands]\n" + line)
        == messages.map { located($0, line: 5, in: "service.x.commands.") })
  }

  @Test("a variable that no program could be started with is refused")
  func longVariablesAreRefused() {
    let value = String(repeating: "x", count: 900_000)
    #expect(
      Configuration.problems(ProgramKeyTests.cat + "environment = { A = \"\(value)\" }") == [
        "t.toml:4:17: service.x.environment.A: expected at most 131071 bytes with the name, found 900002: "
          + "no program could be started"
      ])
  }

  @Test("what a service says of relay or wait takes the place of the other in [defaults]")
  func ownHandoverGoesFirst() throws {
    for (own, other, handover) in [("wait", "relay", Handover.sockets), ("relay", "wait", .relayedConnections)] {
      let text = ProgramKeyTests.cat + "\(own) = true\n[defaults]\n\(other) = true\n"
      #expect(try Configuration.sample(text).services[0].mode.handover == handover)
    }
    #expect(Configuration.problems("[defaults]\nrelay = true\nwait = true\n" + ProgramKeyTests.cat).count == 1)
  }

  @Test("a limit of time that has no effect is not shown")
  func limitsWithoutEffectAreNotShown() throws {
    let echo = "[service.y]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:9\"\n"
    let text = try Configuration.sample(ProgramKeyTests.cat + echo).effectiveSettings()
    #expect(text.contains("\nx        without first-byte-timeout, idle-timeout\n"), "\(text)")
    // Where it has no effect at any service, it is not mentioned at all.
    let alone = try Configuration.sample(ProgramKeyTests.cat).effectiveSettings()
    #expect(!alone.contains("idle-timeout") && !alone.contains("DIFFERS"), "\(alone)")
  }

  @Test("raising a priority needs a capability")
  func raisesPriority() {
    #expect(
      Configuration.problems(ProgramKeyTests.cat + "nice = -1", user: 1000) == [
        "t.toml:4:1: service.x.nice: a value below 0 needs CAP_SYS_RESOURCE or a limit RLIMIT_NICE (LimitNICE=), "
          + "found -1"
      ])
    #expect(Configuration.problems(ProgramKeyTests.cat + "nice = 1", user: 1000) == [])
  }

  @Test("a disabled service's program may be missing")
  func aDisabledServicesProgramMayBeMissing() {
    let text = "[service.x]\nenabled = false\nlisten-stream = \"7\"\nexec = [\"/nonexistent\"]\n"
    #expect(
      Configuration.problems(text + "[service.y]\nserve = \"echo\"\nlisten-stream = \"8\"") == [])
  }
}
