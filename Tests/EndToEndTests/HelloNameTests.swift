import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Whom hello greets.
@Suite(.timeLimit(.minutes(30)))
struct HelloNameTests {
  @Test(.enabled(if: HostsFile.name(of: "127.0.0.1") == "localhost", "/etc/hosts names 127.0.0.1 otherwise"))
  func byName() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      for _ in 0..<3 { try expectGreeting(of: "localhost", daemon) }
    }
  }

  @Test func byAddressWhereThereIsNoNameAndSoon() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      for _ in 0..<3 { try expectGreeting(of: "127.77.0.1", daemon, from: "127.77.0.1") }
    }
  }

  @Test func byAddressWhereNamesAreNotLookedUp() throws {
    try withDaemon(SampleConfiguration.service("hello", "resolve-names = false")) { daemon in
      try expectGreeting(of: "127.0.0.1", daemon)
      #expect(ProcessFacts.children(of: daemon.process).count == 1, "there is a resolver")
    }
  }

  @Test func byAddressSoonWhileTheResolverIsStuck() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      let resolver = ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") }
      try Signal(rawValue: SIGSTOP).send(to: try #require(resolver).process)
      for _ in 0..<2 { try expectGreeting(of: "127.78.0.1", daemon, from: "127.78.0.1") }
    }
  }

  @Test func theResolverLivesAsLongAsAServiceAsksForNames() throws {
    let time = SampleConfiguration.service("time")
    func isResolving(_ daemon: Daemon) -> Bool {
      ProcessFacts.children(of: daemon.process).contains { $0.title.contains("--resolve-names") }
    }
    try withDaemon(time + SampleConfiguration.service("hello")) { daemon in
      #expect(isResolving(daemon))
      for _ in 0..<2 {
        try daemon.reload(time)
        #expect(eventually { !isResolving(daemon) })
        #expect(daemon.zombies.isEmpty)
        try daemon.reload(time + SampleConfiguration.service("hello"))
        #expect(isResolving(daemon))
      }
      #expect(daemon.log.lines(containing: "names: the resolver ended").isEmpty)
    }
  }

  // MARK: Threads of the resolver

  @Test(
    "goes on without threads for a new listener, and serves it when there are some",
    .enabled(if: Machine.isRoot, "reads its directory"))
  func outlivesAShortageOfThreads() throws {
    let hello = SampleConfiguration.service("hello")
    try withDaemon(hello) { daemon in
      let resolver = try resolver(of: daemon)
      #expect(eventually { count("task", of: resolver) == 1 + 4 })
      let descriptors = count("fd", of: resolver)
      let user = try #require(ProcessFacts.statusLine("Uid", of: resolver)?.split(separator: "\t").first)
      // As its user, who may do so without CAP_SYS_RESOURCE.
      func limit(_ processes: Int) throws {
        _ = try RunningProgram.tool(
          "setpriv",
          [
            "--reuid=\(user)", "--regid=\(user)", "--clear-groups", try Programs.tool("prlimit"), "--pid",
            "\(resolver)",
            "--nproc=\(processes):",
          ])
      }
      try limit(1)
      try daemon.reload(hello + SampleConfiguration.service("late", serving: "hello"))
      #expect(eventually { count("fd", of: resolver) == descriptors + 1 })
      #expect(count("task", of: resolver) == 1 + 4)
      try limit(1000)
      // With begatd's next question.
      #expect(eventually(within: .seconds(30)) { count("task", of: resolver) == 1 + 8 })
      #expect(try self.resolver(of: daemon) == resolver)
    }
  }

  @Test(
    "gives the ninth listener, and further ones, a single thread", .enabled(if: Machine.isRoot, "reads its directory"))
  func boundsItsThreads() throws {
    let services = (1...10).map { SampleConfiguration.service("hello\($0)", serving: "hello") }
    try withDaemon(services.joined()) { daemon in
      let resolver = try resolver(of: daemon)
      #expect(eventually { count("task", of: resolver) == 1 + 8 * 4 + 2 })
    }
  }

  private func resolver(of daemon: Daemon) throws -> pid_t {
    try #require(ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") }).process
  }

  /// The entries of a directory below /proc/PID.
  private func count(_ directory: String, of process: pid_t) -> Int {
    (try? DirectoryListing.names(in: "/proc/\(process)/\(directory)"))?.count ?? 0
  }

  /// Within the 500 ms that are promised, and a second for a loaded machine.
  private func expectGreeting(
    of name: String, _ daemon: Daemon, from source: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let watch = Stopwatch()
    let greeting = String(decoding: try ask(daemon.address("hello"), from: source), as: UTF8.self)
    #expect(greeting.hasPrefix("Hello there, \(name), it's now "), sourceLocation: sourceLocation)
    #expect(watch.elapsed < .milliseconds(1500), sourceLocation: sourceLocation)
  }
}
