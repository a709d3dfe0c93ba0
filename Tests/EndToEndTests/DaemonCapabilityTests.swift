import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The capabilities that begatd and its processes have, and services of a begatd that is not root.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "needs capabilities to give up"))
struct DaemonCapabilityTests {
  private static let zero = "0000000000000000"

  @Test("keeps some capabilities, and gives none to its processes", arguments: [false, true])
  func rootKeepsFew(allowsGains: Bool) throws {
    let directory = try TemporaryDirectory()
    let log = "[daemon]\nlog-target = \"file\"\nlog-file = \"\(directory.path("log"))\"\n"
    let hello = SampleConfiguration.service("hello")
    let program = SampleConfiguration.program("cat", ["/bin/cat"], allowsGains ? "allow-set-user-id = true" : "")
    let daemon = try Daemon(log + hello + program, in: directory)
    defer { daemon.kill() }
    let bounding = try capabilities("CapBnd", of: getpid())
    let kept = bounding & Self.kept
    #expect(try capabilities("CapEff", of: daemon.process) == kept)
    #expect(try capabilities("CapPrm", of: daemon.process) == kept)
    for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.process)/task") {
      #expect(try capabilities("CapPrm", of: #require(pid_t(thread))) == kept, "thread \(thread)")
    }
    #expect(try capabilities("CapInh", of: daemon.process) == 0)
    #expect(try capabilities("CapAmb", of: daemon.process) == 0)
    #expect(try capabilities("CapBnd", of: daemon.process) == (allowsGains ? bounding : kept))
    for title in ["begatd: log", "begatd: names", "begat-listener: hello"] {
      let process = try child(title, of: daemon)
      #expect(eventually { sets(of: process).allSatisfy { $0 == Self.zero } }, "\(title): \(sets(of: process))")
    }
    let user = ProcessFacts.statusLine("Uid", of: try child("begatd: names", of: daemon))
    #expect(user?.hasPrefix("0\t") == false)
    try daemon.stop()
  }

  @Test("runs programs of root's without capabilities, unless they may change their user", arguments: [false, true])
  func programsOfRoot(allowsGains: Bool) throws {
    let lines = ["user = \"root\""] + (allowsGains ? ["allow-set-user-id = true"] : [])
    let service = SampleConfiguration.program(
      "status", ["/bin/cat", "/proc/self/status"], lines.joined(separator: "\n"))
    try withDaemon(service) { daemon in
      let lines = try answer(daemon.address("status")).split(separator: "\n")
      let expected = allowsGains ? try hexadecimal(capabilities("CapBnd", of: getpid())) : Self.zero
      for set in ["CapEff", "CapPrm", "CapBnd"] { #expect(lines.contains("\(set):\t\(expected)"), "\(set) \(lines)") }
      for set in ["CapInh", "CapAmb"] { #expect(lines.contains("\(set):\t\(Self.zero)"), "\(set) \(lines)") }
      #expect(lines.contains("Uid:\t0\t0\t0\t0"))
      #expect(daemon.log.lines(containing: "run without capabilities").count == (allowsGains ? 0 : 1))
    }
  }

  @Test("refuses to add a service whose programs gain what begatd has given up")
  func gainsNeedARestart() throws {
    let echo = SampleConfiguration.service("echo")
    let program = SampleConfiguration.program("id", ["/usr/bin/id"], "allow-set-user-id = true")
    try withDaemon(echo) { daemon in
      try expect("reload refused", from: daemon.reload(echo + program))
      #expect(daemon.log.text.contains("service.id.allow-set-user-id: needs a restart of begatd"))
      #expect(try answer(daemon.address("echo"), "still\n") == "still\n")
    }
  }

  @Test(
    "does not start after a step has failed or had no effect",
    arguments: [
      ("capset", EBUSY), ("capset", 0), ("prctl:0=47", EBUSY), ("prctl:0=24", EBUSY), ("prctl:0=24", 0),
      ("prctl:0=4", EBUSY), ("prctl:0=4", 0),
    ])
  func failedStep(step: String, error: CInt) throws {
    let kernel = try TestPrograms.kernel(without: [step], error: error)
    let text = try refusal(SampleConfiguration.service("echo"), wrapper: kernel, status: 1)
    let call = step == "capset" ? "capset" : "prctl PR_"
    expect("begatd: \(call)", from: text)
    expect(error == 0 ? "not effective" : "Device or resource busy", from: text)
  }

  // MARK: Another user than root

  @Test("serves as other users and on low ports, now and after a reload, without being root", arguments: [false, true])
  func ordinaryUser(isByFile: Bool) throws {
    let network = try NetworkNamespace()
    try network.enter {
      let directory = try TemporaryDirectory()
      let copy = isByFile ? try programsWithCapabilities(in: directory) : nil
      let set = "setuid,+setgid,+kill,+net_bind_service"
      var wrapper = [try Programs.tool("setpriv"), "--reuid=61234", "--regid=61234", "--clear-groups"]
      if !isByFile { wrapper += ["--inh-caps=-all,+\(set)", "--ambient-caps=-all,+\(set)"] }
      chown(directory.path, 61234, 61234)
      let first =
        SampleConfiguration.program("id", ["/bin/cat", "/proc/self/status"], "user = \"daemon\"")
        + SampleConfiguration.service("daytime")
      let daemon = try Daemon(first, in: directory, wrapper: wrapper, begatd: copy)
      defer { daemon.kill() }
      let expected: UInt64 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10
      #expect(try capabilities("CapEff", of: daemon.process) == expected)
      #expect(try capabilities("CapAmb", of: daemon.process) == 0)
      // The kernel gives the files of a process that is not dumpable to root: programs of begatd's user cannot open them.
      let memory = try FileManager.default.attributesOfItem(atPath: "/proc/\(daemon.process)/mem")
      #expect(memory[.ownerAccountID] as? Int == 0)
      let status = try answer(daemon.address("id")).split(separator: "\n")
      #expect(status.contains("Uid:\t1\t1\t1\t1"), "\(status)")
      for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        #expect(status.contains("\(set):\t\(Self.zero)"), "\(set)")
      }
      let listener = try daemon.listener("daytime")
      #expect(ProcessFacts.statusLine("Uid", of: listener)?.hasPrefix("61234") == false)
      #expect(ProcessFacts.statusLine("CapEff", of: listener) == Self.zero)

      let low = SampleConfiguration.program(
        "low", ["/usr/bin/id", "-u"], "user = \"4711\"", listening: ["127.0.0.1:13"])
      try expect("reloaded in", from: daemon.reload(first + low))
      #expect(try answer("127.0.0.1:13") == "4711\n")
      try daemon.stop()
    }
  }

  @Test("says which capability an ordinary user lacks")
  func ordinaryUserWithoutCapabilities() throws {
    let text = try refusal(
      SampleConfiguration.service("echo", "user = \"daemon\""), wrapper: try Machine.unprivileged())
    #expect(text.contains("serving as daemon needs CAP_SETUID and CAP_SETGID, which this begatd"), "\(text)")
  }

  /// As in a unit with `SystemCallFilter=~@privileged`.
  @Test("serves without a capability where the filter of its starter permits no privileged call")
  func nothingToLose() throws {
    let kernel = try TestPrograms.kernel(
      without: ["capset", "setgroups", "setresuid", "setresgid", "setuid", "setgid", "chown", "fchown"], error: EPERM)
    let program = SampleConfiguration.program("id", ["/usr/bin/id", "-u"])
    try withDaemon(SampleConfiguration.service("echo") + program, wrapper: try Machine.unprivileged() + kernel) {
      daemon in
      #expect(try answer(daemon.address("echo"), "served\n") == "served\n")
      let user = try answer(daemon.address("id"))
      #expect(user == (Machine.isRoot ? "65534\n" : "\(getuid())\n"))
    }
  }

  // MARK: Root without some capability

  @Test("is never root by accident", arguments: ["setuid", "setgid"])
  func rootWithoutUsers(_ capability: String) throws {
    let name = "CAP_\(capability.uppercased())"
    let wrapper = try without(capability)
    let echo = SampleConfiguration.service("echo")
    try expect("would serve as root, because begatd lacks \(name)", from: refusal(echo, wrapper: wrapper))
    let daemonText = try refusal(SampleConfiguration.service("echo", "user = \"daemon\""), wrapper: wrapper)
    #expect(daemonText.contains("serving as daemon needs \(name), which this begatd (user 0) lacks"), "\(daemonText)")
    try withDaemon(SampleConfiguration.service("echo", "user = \"root\""), wrapper: wrapper) { daemon in
      #expect(try answer(daemon.address("echo"), "root\n") == "root\n")
      let listener = try daemon.listener("echo")
      #expect(ProcessFacts.statusLine("Uid", of: listener) == "0\t0\t0\t0")
      #expect(ProcessFacts.statusLine("CapEff", of: listener) == Self.zero)
    }
  }

  @Test("refuses socket-user without CAP_CHOWN, with the reason")
  func withoutChangeOfOwner() throws {
    let directory = try TemporaryDirectory()
    let socket = "[service.echo]\nserve = \"echo\"\nlisten-stream = \"\(directory.path("echo"))\"\n"
    let wrapper = try without("chown")
    try expect(
      "service.echo.socket-user: a socket for daemon needs CAP_CHOWN",
      from: refusal(socket + "socket-user = \"daemon\"\n", wrapper: wrapper))
    try expect(
      "service.echo.socket-group: a socket for group 54321, which begatd is not in, needs CAP_CHOWN",
      from: refusal(socket + "socket-group = \"54321\"\n", wrapper: wrapper))
    try withDaemon(socket, wrapper: wrapper) { _ in
      try expect("x\n", from: answer(directory.path("echo"), "x\n"))
    }
  }

  @Test("gives sockets to users and changes their modes later")
  func socketOwners() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo")
    func configuration(_ mode: String, _ user: String) -> String {
      "[service.echo]\nserve = \"echo\"\nlisten-stream = \"\(path)\"\nsocket-user = \"\(user)\"\nsocket-mode = \"\(mode)\"\n"
    }
    func facts() -> String {
      var facts = stat()
      stat(path, &facts)
      return "\(facts.st_uid):\(facts.st_gid) \(String(facts.st_mode & 0o7777, radix: 8))"
    }
    try withDaemon(configuration("0600", "4711:815")) { daemon in
      #expect(facts() == "4711:815 600")
      try expect("reloaded in", from: daemon.reload(configuration("0660", "4711:815")))
      #expect(facts() == "4711:815 660")
      try expect("reloaded in", from: daemon.reload(configuration("0660", "4712")))
      #expect(facts() == "4712:0 660")
    }
  }

  @Test("names what low ports need")
  func withoutLowPorts() throws {
    let network = try NetworkNamespace()
    try network.enter {
      let low = SampleConfiguration.program("low", ["/bin/cat"], listening: ["127.0.0.1:13"])
      let text = try refusal(low, wrapper: try without("net_bind_service"), status: 1)
      #expect(text.contains("bind 127.0.0.1:13: Permission denied; low ports need CAP_NET_BIND_SERVICE"), "\(text)")
    }
  }

  // MARK: Stopping without CAP_KILL

  @Test("stops in time without CAP_KILL, and ends connections at a second signal")
  func stopsWithoutSignals() throws {
    let directory = try TemporaryDirectory()
    let log = "[daemon]\ndrain-timeout = \"30s\"\n"
    let services = SampleConfiguration.service("echo") + SampleConfiguration.service("hello")
    let daemon = try Daemon(log + services, in: directory, wrapper: try without("kill"))
    defer { daemon.kill() }
    let client = try Client(try daemon.address("echo"))
    try client.send("x")
    #expect(try client.receive(count: 1) == Array("x".utf8))
    try daemon.program.send(.terminate)
    try daemon.log.awaitLines(containing: "stopping")
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    try daemon.awaitEnd(within: .seconds(5))
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    #expect(!daemon.log.text.contains("does not stop"), "\(daemon.log.text)")
    client.hangUp()
  }

  @Test("says why it cannot kill a listener, and ends without it")
  func leavesWhatItCannotKill() throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(SampleConfiguration.service("echo"), in: directory, wrapper: try without("kill"))
    defer { daemon.kill() }
    let listener = try daemon.listener("echo")
    try Signal.stop.send(to: listener)
    try daemon.program.send(.terminate)
    try daemon.log.awaitLines(containing: "stopping")
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(
      daemon.log.lines(containing: "kill \(listener): Operation not permitted; give begatd CAP_KILL").count == 1,
      "\(daemon.log.text)")
    try Signal.continue.send(to: listener)
    #expect(eventually { areGone([listener]) })
  }

  // MARK: -

  /// CHOWN, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SYS_NICE and SYS_RESOURCE.
  private static let kept: UInt64 = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 23 | 1 << 24

  private func without(_ capability: String) throws -> [String] {
    [try Programs.tool("setpriv"), "--inh-caps=-\(capability)", "--bounding-set=-\(capability)"]
  }

  private func capabilities(_ set: String, of process: pid_t) throws -> UInt64 {
    guard let value = ProcessFacts.statusLine(set, of: process).flatMap({ UInt64($0, radix: 16) }) else {
      throw HarnessFailure("no \(set) of \(process)")
    }
    return value
  }

  private func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private func sets(of process: pid_t) -> [String] {
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { ProcessFacts.statusLine($0, of: process) ?? "?" }
  }

  private func child(_ title: String, of daemon: Daemon) throws -> pid_t {
    var found: pid_t?
    _ = eventually {
      found = ProcessFacts.children(of: daemon.process).first { $0.title.hasPrefix(title) }?.process
      return found != nil
    }
    guard let found else { throw HarnessFailure("no process \(title)") }
    return found
  }

  /// The complaints of a begatd that does not start.
  private func refusal(_ configuration: String, wrapper: [String], status: CInt = 78) throws -> String {
    let directory = try TemporaryDirectory()
    chmod(directory.path, 0o777 | S_ISVTX)
    let file = try directory.write(configuration, to: "begatd.toml")
    let words = wrapper + [try Programs.begatd(), "--config", file]
    let program = try RunningProgram.run(
      words[0], Array(words.dropFirst()), environment: ["RUNTIME_DIRECTORY=\(directory.path)"])
    #expect(program.status == .exited(code: status))
    return program.errors.text
  }

  /// A copy of begatd whose file has capabilities that are permitted and not in effect.
  private func programsWithCapabilities(in directory: TemporaryDirectory) throws -> String {
    let copy = directory.path("begatd")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), copy])
    _ = try RunningProgram.tool("cp", [try Programs.listener(), directory.path("begat-listener")])
    _ = try RunningProgram.tool("setcap", ["cap_setuid,cap_setgid,cap_kill,cap_net_bind_service+p", copy])
    return copy
  }

  private func answer(_ address: String, _ question: String? = nil) throws -> String {
    String(decoding: try ask(address, question), as: UTF8.self)
  }

  private func expect(_ part: String, from text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation)
  }
}
