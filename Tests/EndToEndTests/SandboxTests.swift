import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The limits of a built-in service's processes.
@Suite(.timeLimit(.minutes(30)))
struct SandboxTests {
  #if arch(x86_64)
    private static let canProbe = Machine.isRoot && Machine.hasLandlock
  #else
    private static let canProbe = false
  #endif

  /// The services that execute no program, and what makes each of them answer.
  private static let builtIns: [(service: String, question: String)] = [
    ("hello", ""), ("fortune", ""), ("daytime", ""), ("time", ""), ("echo", "a\n"), ("discard", "a\n"),
    ("chargen", ""), ("command", "date\n"),
  ]

  @Test("leaves a connection process nothing", arguments: ["echo", "command"])
  func connectionProcess(_ service: String) throws {
    try withDaemon(SampleConfiguration.service(service)) { daemon in
      let client = try Client(try daemon.address(service))
      let process = try daemon.awaitConnections(1, of: service)[0]
      for process in [process, try daemon.listener(service)] {
        #expect(ProcessFacts.statusLine("Seccomp", of: process) == "2")
        #expect(ProcessFacts.statusLine("NoNewPrivs", of: process) == "1")
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (Machine.isRoot ? ["CapBnd"] : []) {
          #expect(ProcessFacts.statusLine(set, of: process).flatMap { UInt64($0, radix: 16) } == 0, "\(set)")
        }
        #expect(try isUndumpable(process))
        #expect(try limit("Max core file size", of: process) == "0")
      }
      #expect(try limit("Max processes", of: process) == "0")
      client.hangUp()
    }
  }

  @Test("leaves the resolver of names no privilege")
  func resolver() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      let resolver = try #require(
        ProcessFacts.children(of: daemon.process).first { $0.title.hasPrefix("begatd: names") })
      // It gives them up when it has started.
      #expect(eventually { ProcessFacts.statusLine("NoNewPrivs", of: resolver.process) == "1" })
      for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (Machine.isRoot ? ["CapBnd"] : []) {
        #expect(ProcessFacts.statusLine(set, of: resolver.process).flatMap { UInt64($0, radix: 16) } == 0, "\(set)")
      }
      if Machine.isRoot { #expect(ProcessFacts.statusLine("Uid", of: resolver.process) != "0\t0\t0\t0") }
      #expect(try eventually { try limit("Max core file size", of: resolver.process) == "0" })
      #expect(try isUndumpable(resolver.process))
    }
  }

  @Test(
    "refuses an attacker who owns a connection process what its service does not need",
    .enabled(if: canProbe, "needs root, Landlock and the registers of x86-64"), arguments: ["echo", "command", "hello"])
  func attacker(_ service: String) throws {
    let configuration = SampleConfiguration.service(service) + SampleConfiguration.service("other", serving: "echo")
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address(service))
      let neighbour = try Client(try daemon.address("other"))
      let process = try daemon.awaitConnections(1, of: service)[0]
      let other = try daemon.awaitConnections(1, of: "other")[0]
      let resolvers = ProcessFacts.children(of: daemon.process).filter { $0.title.contains("--resolve-names") }
      let here = "0xffffffffffffff9c"
      var refusals: [(call: [String], error: CInt)] = [
        (["openat", here, "@/etc/passwd", "0"], EACCES), (["open", "@/etc/passwd", "0"], EACCES),
        (["openat", here, "@/tmp/begat-probe", "0x41", "0600"], service == "command" ? EPERM : EACCES),
        (["openat", here, "@/proc/\(other)/mem", "2"], service == "command" ? EPERM : EACCES),
        (["unlink", "@/tmp/begat-probe"], EPERM), (["mkdir", "@/tmp/begat-probe", "0700"], EPERM),
        (["socket", "\(AF_INET)", "1", "0"], EPERM), (["socket", "\(AF_NETLINK)", "3", "0"], EPERM),
        (["socketpair", "1", "1", "0", "%"], EPERM),
        (["connect", "0", "%", "16"], EPERM), (["bind", "0", "%", "16"], EPERM), (["listen", "0", "8"], EPERM),
        (["sendto", "0", "%", "4", "0", "%", "16"], EPERM), (["sendmsg", "0", "%", "0"], EPERM),
        (["sendmmsg", "0", "%", "1", "0"], EPERM),
        // A thread, a process as fork(2) makes it, and two as listeners make them.
        (["clone", "0x10f00"], EPERM), (["clone", "17"], EPERM), (["fork"], EPERM), (["vfork"], EPERM),
        (["clone3", "%", "88"], EPERM), (["clone", "35"], EAGAIN), (["clone", "0x80023"], EAGAIN),
        // The same with shared memory, and with another signal at its end.
        (["clone", "0x80123"], EPERM), (["clone", "0x80011"], EPERM),
        (["execve", "@/bin/sh", "0", "0"], EPERM), (["unshare", "0x10000000"], EPERM),
        (["mmap", "0", "4096", "5", "0x22", "0xffffffffffffffff", "0"], EPERM), (["mprotect", "%", "1", "7"], EPERM),
        (["ptrace", "16", "\(other)", "0", "0"], EPERM), (["pidfd_open", "\(other)", "0"], EPERM),
        (["process_vm_readv", "\(other)", "%", "1", "%", "1", "0"], EPERM),
        (["process_vm_writev", "\(other)", "%", "1", "%", "1", "0"], EPERM),
        (["prctl", "4", "1", "0", "0", "0"], EPERM), (["seccomp", "1", "0", "%"], EPERM),
        (["setuid", "0"], EPERM), (["io_uring_setup", "1", "%"], EPERM), (["bpf", "0", "%", "8"], EPERM),
        (["kill", "\(daemon.process)", "0"], EPERM), (["kill", "\(other)", "0"], EPERM),
        (["kill", "\(try daemon.listener("other"))", "0"], EPERM),
        (["prlimit64", "\(try daemon.listener("other"))", "7", "%", "0"], EPERM),
        (["prlimit64", "\(daemon.process)", "0", "%", "0"], EPERM),
        (["rt_sigqueueinfo", "\(try daemon.listener(service))", "35", "%"], EPERM),
      ]
      for resolver in resolvers { refusals.append((call: ["kill", "\(resolver.process)", "0"], error: EPERM)) }
      let results = try TestPrograms.call(in: process, [["getpid"]] + refusals.map(\.call))
      #expect(results.first == Int(process), "the probe works")
      #expect(results.count == refusals.count + 1)
      for (refusal, result) in zip(refusals, results.dropFirst()) {
        #expect(result == -Int(refusal.error), "\(refusal.call.joined(separator: " "))")
      }
      // It goes on serving its client.
      try client.send("date\n")
      #expect(try !client.receive { !$0.isEmpty }.isEmpty)
      client.hangUp()
      neighbour.hangUp()
    }
  }

  @Test(
    "serves by each built-in without Landlock, and says so once", .enabled(if: Machine.hasLandlock, "needs Landlock"))
  func withoutLandlock() throws {
    let configuration = Self.builtIns.map { SampleConfiguration.service($0.service) }.joined()
    try withDaemon(configuration, wrapper: try TestPrograms.kernelWithoutLandlock()) { daemon in
      for builtIn in Self.builtIns { try expectAnswer(builtIn.service, builtIn.question, daemon) }
      #expect(daemon.log.lines(containing: "sandbox: Landlock is missing").count == 1, "\(daemon.log.text)")
      #expect(daemon.log.lines(containing: "sandbox:").count == 1)
      #expect(try daemon.begat("status").output.lines.contains("sandbox: without Landlock"))
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      #expect((answer["begatd"] as? [String: Any])?["sandbox-gaps"] as? [String] == ["without Landlock"])
      let client = try Client(try daemon.address("echo"))
      let process = try daemon.awaitConnections(1, of: "echo")[0]
      #expect(
        ProcessFacts.statusLine("Seccomp_filters", of: process) == "2", "the kernel's view is one, its own another")
      client.hangUp()
    }
  }

  @Test("serves by each built-in in its sandbox, without a word about it")
  func everyBuiltIn() throws {
    try withDaemon(Self.builtIns.map { SampleConfiguration.service($0.service) }.joined()) { daemon in
      for builtIn in Self.builtIns { try expectAnswer(builtIn.service, builtIn.question, daemon) }
      #expect(daemon.log.lines(containing: "sandbox").isEmpty, "\(daemon.log.text)")
    }
  }

  @Test("does not start a service that requires a sandbox where the kernel has none")
  func required() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(SampleConfiguration.service("echo", "sandbox = \"required\""), to: "begatd.toml")
    let kernel = try TestPrograms.kernelWithoutLandlock()
    for words in [[try Programs.begatd(), "--config", file], [try Programs.begat(), "check", file]] {
      let program = try RunningProgram.run(kernel[0], kernel.dropFirst() + words)
      #expect(program.status == .exited(code: 78))
      #expect(program.errors.text.contains("sandbox: is not available on this machine: Landlock is missing"))
    }
    let listener = try RunningProgram.run(
      kernel[0],
      kernel.dropFirst() + [
        try Programs.listener(), "--serve", "echo", "--listen-stream", "127.0.0.1:0", "--sandbox", "required",
      ])
    #expect(listener.status == .exited(code: 64))
    #expect(listener.errors.text.contains("--sandbox: is not available on this machine: Landlock is missing"))
  }

  @Test("has a warning for a service without a sandbox, which is the only one that has none")
  func off() throws {
    let configuration =
      SampleConfiguration.service("plain", "sandbox = \"off\"", serving: "echo") + SampleConfiguration.service("echo")
    try withDaemon(configuration) { daemon in
      #expect(daemon.log.lines(containing: "plain is not confined").count == 1)
      let (plain, confined) = (try daemon.listener("plain"), try daemon.listener("echo"))
      // The test's own view of the kernel may be a filter.
      #expect(
        ProcessFacts.statusLine("Seccomp_filters", of: plain)
          == ProcessFacts.statusLine("Seccomp_filters", of: getpid()))
      #expect(ProcessFacts.statusLine("NoNewPrivs", of: plain) == "1")
      #expect(ProcessFacts.statusLine("Seccomp", of: confined) == "2")
      let status = try daemon.begat("status").output.lines
      #expect(status.contains("unconfined: plain"))
      #expect(status.contains { $0.hasPrefix("sandbox:") } == !Machine.hasLandlock)
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let rows = answer["services"] as? [[String: Any]] ?? []
      #expect(rows.map { $0["confined"] as? Bool } == [false, true])
      #expect(
        try daemon.begat("status", "--prometheus").output.lines.contains("begat_service_confined{service=\"plain\"} 0"))
    }
  }

  @Test("shows who is logged in, though it opens no other file", .enabled(if: Machine.isRoot, "needs a mount"))
  func logins() throws {
    // struct utmp: a USER_PROCESS of one user at one terminal.
    let script = """
      import struct, sys
      entry = struct.pack("hi32s4s32s256shhiii36s", 7, 1, b"pts/9", b"9", b"harriet", b"192.0.2.9", 0, 0, 0, 1, 0, bytes(36))
      open(sys.argv[1], "wb").write(entry)
      """
    let directory = try TemporaryDirectory()
    let record = directory.path("utmp")
    _ = try python(script, [record])
    let view = "mount -t tmpfs none /run && cp \"$0\" /run/utmp && exec \"$@\""
    let wrapper = [try Programs.tool("unshare"), "-m", "/bin/sh", "-c", view, record]
    try withDaemon(SampleConfiguration.service("command"), wrapper: wrapper) { daemon in
      let answer = String(decoding: try ask(daemon.address("command"), "who\nquit\n"), as: UTF8.self)
      #expect(answer.contains("harriet"), "\(answer)")
    }
  }

  @Test("answers Unix datagrams of clients with any kind of name")
  func unixDatagrams() throws {
    let configuration = { (directory: TemporaryDirectory) in
      "[service.daytime]\nserve = \"daytime\"\nsocket-mode = \"0666\"\n"
        + "listen-datagram = \(SampleConfiguration.list([directory.path("daytime")]))\n"
    }
    let script = """
      import socket, sys
      client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      client.settimeout(20)
      client.bind(sys.argv[2])
      client.sendto(b"?", sys.argv[1])
      print(len(client.recv(1000)) > 10)
      """
    try withDaemon(configuration) { daemon in
      let server = daemon.directory.path("daytime")
      // An empty name has the kernel choose an abstract one.
      let abstract = try python(script, [server, ""])
      #expect(abstract.output.text == "True\n")
      chmod(daemon.directory.path, 0o777)
      let named = try python("import os; os.umask(0)\n" + script, [server, daemon.directory.path("client")])
      #expect(named.output.text == "True\n")
    }
  }

  /// Each step of a listener's start that takes something away, and how a kernel makes it fail.
  private static let steps = [
    "prctl:0=47", "prctl:0=24", "capset", "setgroups", "setresgid", "setresuid", "prctl:0=38", "prctl:0=4",
    "prlimit64:1=4", "landlock_restrict_self", "prctl:0=22,2!0",
  ]

  @Test(
    "does not serve after a step has failed", .enabled(if: Machine.isRoot, "needs privileges to give up"),
    arguments: steps.filter { Machine.hasLandlock || !$0.hasPrefix("landlock") })
  func failedStep(_ step: String) throws {
    let kernel = try TestPrograms.kernel(without: [step], error: EBUSY)
    // A change of the user leaves no capability to give up.
    let listener = try startUnder(kernel, step == "capset" ? [] : ["--user", "65534"])
    #expect(try listener.awaitEnd() == .exited(code: 1))
    #expect(listener.errors.text.contains("Device or resource busy"), "\(listener.errors.text)")
  }

  @Test(
    "does not serve after a step has had no effect", .enabled(if: Machine.isRoot, "needs privileges to give up"),
    arguments: ["prctl:0=24", "capset", "setgroups", "setresgid", "setresuid", "prctl:0=38", "prctl:0=4"])
  func falseStep(_ step: String) throws {
    // A change of the user clears the capabilities and makes the process not dumpable as well.
    let user = step.hasPrefix("set") ? ["--user", "65534"] : []
    // With a group to lose.
    let groups = [try Programs.tool("setpriv"), "--groups", "4"]
    let listener = try startUnder(groups + TestPrograms.kernel(without: [step], error: 0), user)
    #expect(try listener.awaitEnd() == .exited(code: 1))
    #expect(listener.errors.text.contains("ermitted"), "\(listener.errors.text)")
  }

  @Test("serves no client whose process can still fork")
  func failedStepOfAConnection() throws {
    let kernel = try TestPrograms.kernel(without: ["prlimit64:1=6"], error: EBUSY)
    try withDaemon(SampleConfiguration.service("daytime"), wrapper: kernel) { daemon in
      #expect(try ask(daemon.address("daytime")).isEmpty)
      try daemon.log.awaitLines(containing: "service failed")
    }
  }

  // MARK: -

  private func startUnder(_ kernel: [String], _ options: [String]) throws -> RunningProgram {
    let words = kernel + [try Programs.listener(), "--serve", "echo", "--listen-stream", "127.0.0.1:0"] + options
    return try RunningProgram(words[0], Array(words.dropFirst()))
  }

  private func expectAnswer(
    _ service: String, _ question: String, _ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let client = try Client(try daemon.address(service))
    try client.send(question)
    if service == "discard" {
      try client.endSending()
      #expect(client.awaitEnd(), sourceLocation: sourceLocation)
    } else {
      #expect(try !client.receive { !$0.isEmpty }.isEmpty, "\(service)", sourceLocation: sourceLocation)
    }
    client.hangUp()
  }

  /// Of a process whose user is not root: the kernel gives its files to root if it is not dumpable.
  private func isUndumpable(_ process: pid_t) throws -> Bool {
    try FileManager.default.attributesOfItem(atPath: "/proc/\(process)/mem")[.ownerAccountID] as? Int == 0
  }

  /// The soft limit, as /proc/PID/limits shows it.
  private func limit(_ name: String, of process: pid_t) throws -> String? {
    let lines = try String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8).split(separator: "\n")
    return lines.first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ").first.map(String.init)
  }
}
