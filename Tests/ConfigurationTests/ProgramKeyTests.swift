import Admission
import ControlProtocol
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
    #expect(service.offer == .program(.connections))
    #expect(service.builtIn == nil && !service.waits)
    var program = ProgramSettings()
    program.words = ["/bin/cat", "-u"]
    program.workingDirectory = "/usr"
    program.umask = 0o077
    program.nice = -5
    program.limitMemory = 64 << 20
    program.limitCPU = 90
    program.limitOpenFiles = 64
    program.limitProcesses = 100
    program.environment = service.program.environment
    #expect(service.program == program)
    #expect(service.program.environment.sorted() == ["EMPTY=", "LANG=C.UTF-8", "_x9=a=b c"])
    #expect(
      try Configuration.sample(ProgramKeyTests.cat + "limit-memory = 4096").services[0].program.limitMemory == 4096)
  }

  @Test("have defaults")
  func haveDefaults() throws {
    let service = try Configuration.sample(ProgramKeyTests.cat).services[0]
    var program = ProgramSettings()
    program.words = ["/bin/cat", "-u"]
    #expect(service.program == program)
    #expect(service.idleTimeout == nil && service.firstByteTimeout == nil)
    #expect(!service.resolvesNames)
  }

  @Test("relay keeps time limits")
  func relayKeepsTime() throws {
    let service = try Configuration.sample(ProgramKeyTests.cat + "relay = true\nfirst-byte-timeout = \"1s\"").services[
      0]
    #expect(service.offer == .program(.relayedConnections))
    #expect(service.firstByteTimeout == .seconds(1) && service.idleTimeout == .seconds(600))
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
    #expect(service.offer == .program(.sockets) && service.waits)
    var limits = AdmissionLimits()
    limits.rate = RateLimit("1/s")
    #expect(service.admission == limits && service.allow.isEmpty)
    #expect(service.refusal == nil && service.idleTimeout == nil && service.maxDuration == .seconds(3600))
    #expect(service.datagramAdmission == nil)
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
    #expect(services.map(\.offer) == [.builtIn(.echo), .program(.connections)])
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
      others.map(\.offer) == [
        .program(.relayedConnections), .builtIn(.echo), .builtIn(.command), .program(.connections),
      ])
    #expect(others.map(\.program.words) == [["/bin/cat"], [], [], ["/bin/ls"]])
    #expect(others.map(\.program.environment) == [["A=b"], [], ["A=b"], ["A=b"]])
    #expect(others.map(\.idleTimeout) == [.seconds(1), .seconds(1), .seconds(1), nil])
    #expect(others.map(\.commands.count) == [0, 0, 1, 0])
  }

  @Test("commands are read")
  func commandsAreRead() throws {
    let service = try Configuration.sample(
      ProgramKeyTests.command + "nice = 1\n[service.x.commands]\nfiles = [\"/bin/ls\", \"-l\"]\nx-9_ = [\"/bin/cat\"]"
    ).services[0]
    #expect(
      service.commands == [
        AddedCommand(name: "files", words: ["/bin/ls", "-l"]), AddedCommand(name: "x-9_", words: ["/bin/cat"]),
      ])
    #expect(service.program.nice == 1)
  }

  private static let words =
    "expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found "
  private static let name = "expected a command's name of 1 to 32 lower-case letters, digits, - and _"

  @Test(
    "say what is wrong with exec",
    arguments: [
      ("\"/bin/cat -u\"", words + "\"/bin/cat -u\""), ("[]", words + "an empty list"),
      ("[\"cat\"]", words + "\"cat\" as its path"), ("{}", words + "a table"),
      ("[\"/bin/cat\", 1]", "expected a list of an absolute path and arguments, found an integer in it"),
      ("[\"/nonexistent\"]", "/nonexistent: No such file or directory"),
      ("[\"/bin\"]", "/bin: expected a program, found a directory"),
      ("[\"/dev/null\"]", "/dev/null: expected a program, found not a regular file"),
      (
        "[\"/etc/passwd\"]",
        "/etc/passwd: nobody may not execute it; set user or change its mode 0644"
      ),
    ])
  func sayWhatIsWrongWithExec(value: String, message: String) {
    let text = "[service.x]\nlisten-stream = \"7\"\nexec = \(value)\n"
    #expect(Configuration.problems(text) == ["t.toml:3: service.x.exec: \(message)"])
  }

  @Test("a NUL reaches no program")
  func aNULReachesNoProgram() {
    for line in ["exec = [\"/bin/cat\\u0000\"]", "environment = { A = \"x\\u0000\" }"] {
      let problems = Configuration.problems("[service.x]\n\(line)")
      #expect(problems.count == 1 && problems[0].hasSuffix("a NUL in a string"))
    }
  }

  @Test(
    "say what is wrong with them",
    arguments: [
      ("serve = \"echo\"", ["t.toml:2: service.x.exec: expected either serve or exec; serve is at t.toml:4"]),
      (
        "environment = { 9A = \"x\" }",
        ["environment.9A: expected a variable's name of letters, digits and _, no digit first"]
      ),
      (
        "environment = { A-B = \"x\" }",
        ["environment.A-B: expected a variable's name of letters, digits and _, no digit first"]
      ),
      ("environment = { A = 1 }", ["environment.A: expected the variable's value in quotes, found an integer"]),
      ("environment = { A = \"x\\ny\" }", ["environment.A: expected a value of one line, found a line feed in it"]),
      ("environment = [\"A=b\"]", ["environment: expected a table, found an array"]),
      (
        "environment = { REMOTE_ADDR = \"x\" }",
        ["environment.REMOTE_ADDR: begat sets variables of this name itself: they tell programs who the client is"]
      ),
      ("working-directory = \"tmp\"", ["working-directory: expected the absolute path of a directory, found \"tmp\""]),
      ("working-directory = \"/nonexistent\"", ["working-directory: /nonexistent: No such file or directory"]),
      ("working-directory = \"/bin/cat\"", ["working-directory: /bin/cat: not a directory"]),
      ("umask = 22", ["umask: expected permissions in octal digits such as \"0022\", found an integer"]),
      ("nice = 20", ["nice: expected an integer from -20 to 19, found 20"]),
      (
        "limit-memory = \"64MB\"",
        ["limit-memory: expected a size above 0 such as \"64M\", or a number of bytes, found \"64MB\""]
      ),
      ("limit-memory = 0", ["limit-memory: expected a size above 0 such as \"64M\", or a number of bytes, found 0"]),
      (
        "limit-cpu = \"1500ms\"",
        ["limit-cpu: expected a duration of whole seconds such as \"10s\" or \"5m\", found \"1500ms\""]
      ),
      (
        "limit-cpu = \"0s\"",
        ["limit-cpu: expected a duration of whole seconds such as \"10s\" or \"5m\", found \"0s\""]
      ),
      ("limit-open-files = 0", ["limit-open-files: expected an integer of at least 1, found 0"]),
      ("limit-processes = \"1\"", ["limit-processes: expected an integer of at least 1, found a string"]),
      ("idle-timeout = \"1s\"", ["idle-timeout: needs relay = true with exec: else nobody watches the time"]),
      (
        "first-byte-timeout = \"1s\"",
        ["first-byte-timeout: needs relay = true with exec: else nobody watches the time"]
      ),
      ("listen-datagram = \"7\"", ["listen-datagram: a program takes datagrams only with wait = true"]),
      ("relay = true\nwait = true", ["t.toml:5: service.x.wait: expected either relay or wait; relay is at t.toml:4"]),
      ("fortune = {}", ["fortune: a program tells no fortunes of begat's"]),
      ("commands = {}", ["commands: only with serve = \"command\""]),
    ] as [(String, [String])])
  func sayWhatIsWrong(line: String, messages: [String]) {
    let wanted = messages.map { $0.hasPrefix("t.toml") ? $0 : "t.toml:4: service.x.\($0)" }
    #expect(Configuration.problems(ProgramKeyTests.cat + line) == wanted)
  }

  @Test(
    "about clients have no effect with wait",
    arguments: [
      "allow = []", "deny = []", "max-connections = 1", "max-connections-per-source = 1", "rate-per-source = \"1/s\"",
      "source-prefix = {}", "when-full = \"wait\"", "refusal = \"no\"", "keep-alive = true", "idle-timeout = \"1s\"",
      "first-byte-timeout = \"1s\"",
    ])
  func haveNoEffectWithWait(line: String) throws {
    let key = try #require(line.split(separator: " ").first)
    #expect(
      Configuration.problems(ProgramKeyTests.cat + "wait = true\n" + line) == [
        "t.toml:5: service.x.\(key): has no effect with wait: the program itself accepts"
      ])
  }

  @Test(
    "need a program",
    arguments: [
      ("relay = false", "relay: only with exec; echo is built in"),
      ("wait = true", "wait: only with exec; echo is built in"),
      ("commands = {}", "commands: only with serve = \"command\"; echo has no commands"),
      ("umask = \"0022\"", "umask: only with exec or commands; no program is executed here"),
      ("environment = {}", "environment: only with exec or commands; no program is executed here"),
      ("limit-cpu = \"1s\"", "limit-cpu: only with exec or commands; no program is executed here"),
    ])
  func needAProgram(line: String, message: String) {
    #expect(
      Configuration.problems("[service.x]\nserve = \"echo\"\nlisten-stream = \"7\"\n\(line)") == [
        "t.toml:4: service.x.\(message)"
      ])
  }

  @Test(
    "say what is wrong with commands",
    arguments: [
      ("Files = [\"/bin/ls\"]", "Files: \(name); use files: clients may type it in any case"),
      ("\"a b\" = [\"/bin/ls\"]", "\"a b\": \(name)"),
      ("date = [\"/bin/date\"]", "date: the command server has a command of this name itself; choose another"),
      ("Quit = [\"/bin/date\"]", "Quit: the command server has a command of this name itself; choose another"),
      ("x = [\"ls\"]", "x: \(words)\"ls\" as its path"), ("x = \"/bin/ls\"", "x: \(words)\"/bin/ls\""),
      ("x = [\"/nonexistent\"]", "x: /nonexistent: No such file or directory"),
    ])
  func sayWhatIsWrongWithCommands(line: String, message: String) {
    #expect(
      Configuration.problems(ProgramKeyTests.command + "[service.x.commands]\n" + line) == [
        "t.toml:5: service.x.commands.\(message)"
      ])
  }

  @Test("only root can raise a priority")
  func onlyRootCanRaise() {
    #expect(
      Configuration.problems(ProgramKeyTests.cat + "nice = -1", user: 1000) == [
        "t.toml:4: service.x.nice: only root can go below 0, found -1"
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
