import Foundation
import Testing
@_spi(Begat) import UnixCore

/// What a program finds besides its variables: descriptors, signals, identity, limits.
@Suite(.timeLimit(.minutes(30)))
struct ProgramStateTests {
  private static let status = ["/bin/cat", "/proc/self/status", "/proc/self/stat", "/proc/self/limits"]

  @Test(arguments: [false, true])
  func threeDescriptorsAreOpen(relayed: Bool) throws {
    // Names its descriptors without opening another.
    let script = """
      import os
      for number in range(4096):
          try: print(number, os.readlink(f"/proc/self/fd/{number}"))
          except FileNotFoundError: pass
      """
    let wrapper = ["/bin/sh", "-c", "exec 5</etc/passwd 9</etc/hosts 7</etc/group; exec \"$0\" \"$@\""]
    let configuration = { (directory: TemporaryDirectory) in
      try SampleConfiguration.python("open", script, "relay = \(relayed)")
        + SampleConfiguration.service("echo") + SampleConfiguration.service("hello")
    }
    try withDaemon(configuration, wrapper: wrapper) { daemon in
      let others = try (0..<3).map { _ in try Client(try daemon.address("echo")) }
      for _ in 0..<3 {
        let lines = String(decoding: try ask(daemon.address("open")), as: UTF8.self).split(separator: "\n")
        let words = lines.map { $0.split(separator: " ").map(String.init) }
        #expect(words.map(\.first) == ["0", "1", "2"])
        guard words.count == 3 else { continue }
        #expect(words[0][1].hasPrefix("socket:") && words[1][1] == words[0][1])
        #expect(words[2][1].hasPrefix("pipe:"))
      }
      for other in others { other.hangUp() }
    }
  }

  @Test(arguments: [false, true])
  func everySignalHasItsDefault(relayed: Bool) throws {
    let script = """
      import os, signal, sys
      for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP, signal.SIGTERM, signal.SIGALRM, signal.SIGRTMIN + 1):
          signal.signal(number, signal.SIG_IGN)
      signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
      os.execv(sys.argv[1], sys.argv[1:])
      """
    for wrapper in [[], [try Programs.tool("python3"), "-c", script]] {
      let configuration = SampleConfiguration.program("status", Self.status, "relay = \(relayed)")
      try withDaemon(configuration, wrapper: wrapper) { daemon in
        let facts = try Facts(of: daemon)
        for line in ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"] {
          let set = facts[line].flatMap { UInt64($0, radix: 16) }
          #expect(set.map { $0 & ~Self.signalsOfTheLibrary } == 0, "\(line)")
        }
      }
    }
  }

  /// 32 and 33: sigaction(2) of the C library refuses to touch them, so that even `env --default-signal` leaves them.
  private static let signalsOfTheLibrary: UInt64 = 0b11 << 31

  @Test func aProgramLeadsItsOwnGroup() throws {
    try withDaemon(SampleConfiguration.program("status", Self.status)) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts.stat[2] == facts.stat[0], "its group is its own number")
      let listener = try daemon.listener("status")
      #expect(facts.stat[1] == "\(listener)", "its parent is the listener")
      #expect(facts["NoNewPrivs"] == "1")
      #expect(facts["Umask"] == "0022")
      #expect(facts.nice == 0)
    }
  }

  @Test func aRelayedProgramIsInItsRelaysGroup() throws {
    try withDaemon(SampleConfiguration.program("status", Self.status, "relay = true")) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts.stat[2] == facts.stat[1], "its group is its parent's number")
      let listener = try daemon.listener("status")
      #expect(facts.stat[2] != "\(listener)")
      #expect(facts["NoNewPrivs"] == "1")
    }
  }

  @Test(arguments: [false, true])
  func directoryAndMaskAndPriorityAreAsConfigured(relayed: Bool) throws {
    let configuration = { (directory: TemporaryDirectory) in
      let keys =
        "relay = \(relayed)\nworking-directory = \"\(directory.path)\"\numask = \"0137\"\nnice = 7"
      return SampleConfiguration.program("status", Self.status, keys)
        + SampleConfiguration.program("where", ["/bin/pwd", "-P"], keys)
        + SampleConfiguration.program("root", ["/bin/pwd", "-P"], "relay = \(relayed)")
    }
    try withDaemon(configuration) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts["Umask"] == "0137")
      #expect(facts.nice == 7)
      #expect(try ask(daemon.address("where")) == Array("\(daemon.directory.path)\n".utf8))
      #expect(try ask(daemon.address("root")) == Array("/\n".utf8))
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root can choose"), arguments: [false, true])
  func userAndGroupsAreThoseConfigured(relayed: Bool) throws {
    let relay = "relay = \(relayed)"
    let configuration =
      SampleConfiguration.program("status", Self.status, relay, "user = \"nobody\"")
      + SampleConfiguration.program("daemon", Self.status, relay, "user = \"daemon\"")
      + SampleConfiguration.program("games", Self.status, relay, "user = \"daemon\"", "group = \"games\"")
    try withDaemon(configuration) { daemon in
      for (service, user, group) in [
        ("status", "nobody", "nogroup"), ("daemon", "daemon", "daemon"), ("games", "daemon", "games"),
      ] {
        let facts = try Facts(of: daemon, service)
        let uid = try RunningProgram.tool("id", ["-u", user]).output.text.trimmed
        let gid = try RunningProgram.tool("getent", ["group", group]).output.text.split(separator: ":")[2]
        #expect(facts["Uid"] == [String](repeating: uid, count: 4).joined(separator: "\t"))
        #expect(facts["Gid"] == [String](repeating: String(gid), count: 4).joined(separator: "\t"))
        #expect(!(facts["Groups"] ?? "0").split(separator: " ").contains("0"))
        for line in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
          #expect(facts[line] == "0000000000000000", "\(line)")
        }
      }
    }
  }

  @Test(.enabled(if: mayRaiseLimits, "needs root with CAP_SYS_RESOURCE"), arguments: [false, true])
  func aProgramMayComeFirst(relayed: Bool) throws {
    let configuration = SampleConfiguration.program("status", Self.status, "relay = \(relayed)", "nice = -5")
    try withDaemon(configuration) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts.nice == -5)
    }
  }

  /// Source: capabilities(7), CAP_SYS_RESOURCE.
  private static let mayRaiseLimits: Bool = {
    let set = ProcessFacts.statusLine("CapEff", of: getpid()).flatMap { UInt64($0, radix: 16) }
    return Machine.isRoot && (set ?? 0) & 1 << 24 != 0
  }()

  @Test(arguments: [false, true])
  func limitsAreThoseConfigured(relayed: Bool) throws {
    let configuration = SampleConfiguration.program(
      "status", Self.status, "relay = \(relayed)", "limit-memory = \"256M\"", "limit-cpu = \"10s\"",
      "limit-open-files = 64", "limit-processes = 4000")
    try withDaemon(configuration) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts.limit("Max address space") == ["268435456", "268435456"])
      #expect(facts.limit("Max cpu time") == ["10", "10"])
      #expect(facts.limit("Max open files") == ["64", "64"])
      #expect(facts.limit("Max processes") == ["4000", "4000"])
    }
  }

  /// What begatd raises, it raises for itself.
  @Test(arguments: [false, true])
  func otherLimitsAreThoseThatBegatdWasStartedWith(relayed: Bool) throws {
    let wrapper = [try Programs.tool("prlimit"), "--nofile=777:888", "--sigpending=500:600", "--cpu=5000:6000"]
    let configuration =
      SampleConfiguration.program("status", Self.status, "relay = \(relayed)", "max-connections = 1000")
      + SampleConfiguration.service("echo", "max-connections = 1000")
    try withDaemon(configuration, wrapper: wrapper) { daemon in
      for _ in 0..<2 {
        let facts = try Facts(of: daemon)
        #expect(facts.limit("Max open files") == ["777", "888"])
        #expect(facts.limit("Max pending signals") == ["500", "600"])
        #expect(facts.limit("Max cpu time") == ["5000", "6000"])
      }
    }
  }

  /// One would lie in its directory; it may raise the limit again.
  @Test(arguments: ["", "relay = true", "wait = true"])
  func noCoreIsLeftOfThem(line: String) throws {
    let wrapper = [try Programs.tool("prlimit"), "--core=1048576:2097152"]
    let script = "cat /proc/self/status /proc/self/stat /proc/self/limits"
    let accepting = "import os, socket; client = socket.socket(fileno=0).accept()[0]; os.dup2(client.fileno(), 1)"
    let configuration =
      line == "wait = true"
      ? try SampleConfiguration.python("status", accepting + "; os.system(\"\(script)\")", line)
      : SampleConfiguration.script("status", script, line)
    try withDaemon(configuration, wrapper: wrapper) { daemon in
      let facts = try Facts(of: daemon)
      #expect(facts.limit("Max core file size") == ["0", "2097152"])
    }
  }

  @Test func aProgramAboveItsLimitOfMemoryFails() throws {
    let script = "try: bytearray(512 << 20); print('got it')\nexcept MemoryError: print('none left')"
    let configuration =
      try SampleConfiguration.python("small", script, "limit-memory = \"200M\"")
      + SampleConfiguration.python("free", script)
    try withDaemon(configuration) { daemon in
      let (small, free) = (try daemon.address("small"), try daemon.address("free"))
      #expect(try ask(small) == Array("none left\n".utf8))
      #expect(try ask(free) == Array("got it\n".utf8))
    }
  }

  @Test func aProgramAboveItsProcessorTimeEnds() throws {
    let configuration = SampleConfiguration.script("busy", "while :; do :; done", "limit-cpu = \"1s\"")
    try withDaemon(configuration) { daemon in
      #expect(try Client(daemon.address("busy")).awaitEnd(within: .seconds(20)))
      try daemon.log.awaitLines(containing: "busy: pid ")
      #expect(daemon.log.lines(containing: "ended by SIGKILL").count == 1, "\(daemon.log.text)")
    }
  }

  /// What the files of proc_pid_status(5), proc_pid_stat(5) and proc_pid_limits(5) told the client.
  private struct Facts {
    private let lines: [String]
    /// The first fields of stat, without the name and the state.
    let stat: [String]

    init(of daemon: Daemon, _ service: String = "status") throws {
      lines = String(decoding: try ask(daemon.address(service)), as: UTF8.self).split(separator: "\n").map(String.init)
      let line = lines.first { $0.contains(" (cat) ") }
      stat = (line ?? "").split(separator: " ").map(String.init).filter { $0 != "(cat)" && $0 != "R" }
      guard stat.count > 20 else { throw HarnessFailure("no facts in \(lines)") }
    }

    subscript(name: String) -> String? {
      lines.first { $0.hasPrefix("\(name):") }.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    var nice: Int? { Int(stat[16]) }

    /// The soft and the hard one.
    func limit(_ name: String) -> [String]? {
      lines.first { $0.hasPrefix(name + " ") }.map {
        $0.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init)
      }
    }
  }
}
