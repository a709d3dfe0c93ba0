import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Attacks from inside a service against what its processes share with others.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct AttackTests {
  #if arch(x86_64)
    private static let canProbe = Machine.isRoot
  #else
    private static let canProbe = false
  #endif
  private static let hasName = HostsFile.name(of: "127.0.0.1") == "localhost"

  /// A region of a process's memory.
  private struct Region {
    let start: UInt
    let size: UInt
    /// As `rw-s`.
    let rights: String
    let name: String
  }

  private func regions(of process: pid_t) throws -> [Region] {
    try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true).map(String.init)
      let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      // Its own heap and variables are not looked at: without them it could make no system call any more.
      guard words.count == 6, ends.count == 2, words[5].contains("memfd:begat-"), !words[5].contains("begat-memory")
      else { return nil }
      return Region(start: ends[0], size: ends[1] - ends[0], rights: words[1], name: words[5])
    }
  }

  private func resolver(_ daemon: Daemon) throws -> pid_t {
    try #require(ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") }).process
  }

  /// Calls a closure with a connection process of `evil` that waits for its client's name, which does not come meanwhile.
  private func withWaitingProcess(_ daemon: Daemon, _ body: (pid_t) throws -> Void) throws {
    let resolver = try resolver(daemon)
    try Signal(rawValue: SIGSTOP).send(to: resolver)
    defer { try? Signal(rawValue: SIGCONT).send(to: resolver) }
    // It waits for half a second, which may be over on a busy machine.
    for attempt in 1... {
      let client = try Client(try daemon.address("evil"), from: "127.78.0.1")
      defer { client.hangUp() }
      do {
        return try body(try daemon.awaitConnections(1, of: "evil")[0])
      } catch { if attempt == 20 { throw error } }
    }
  }

  /// The service in `begat status --json`.
  private func status(_ daemon: Daemon, _ service: String) throws -> [String: Any] {
    let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
    return try #require((answer["services"] as? [[String: Any]])?.first { $0["name"] as? String == service })
  }

  private func greeting(_ daemon: Daemon, _ service: String) throws -> String {
    String(decoding: try ask(daemon.address(service)), as: UTF8.self)
  }

  private static let services =
    SampleConfiguration.service("evil", serving: "hello") + SampleConfiguration.service("other", serving: "hello")

  @Test(
    "cannot change what other processes read, and harms only its service by what it can",
    .enabled(if: canProbe, "needs root and the registers of x86-64"), arguments: [0xff, 0x100])
  func scribbling(byte: Int) throws {
    try withDaemon(Self.services) { daemon in
      let before = try greeting(daemon, "other").prefix { $0 != "," }
      let listeners = (try daemon.listener("evil"), try daemon.listener("other"))
      var written: [String: Int] = [:]
      try withWaitingProcess(daemon) { process in
        let regions = try regions(of: process)
        var calls: [[String]] = []
        for region in regions {
          calls.append(["mprotect", "\(region.start)", "\(region.size)", "3"])
          calls.append(["fill", "\(region.start)", "\(region.size)", "\(byte)"])
        }
        // As the kernel announces the end of a process of the listener's.
        let signals = ["35", "17", "1"].map { ["kill", "\(listeners.0)", $0] }
        let results = try TestPrograms.call(in: process, calls + signals)
        #expect(results.suffix(signals.count) == [0, 0, 0] && results.count == calls.count + signals.count)
        for (number, region) in regions.enumerated() where 2 * number + 1 < results.count {
          written[region.name] = results[2 * number + 1]
          // All but the scoreboard's slots is the process's own copy.
          #expect(region.rights.hasSuffix(region.name.contains("scoreboard") ? "s" : "p"), "\(region)")
        }
      }
      #expect(written.contains { $0.key.contains("begat-scoreboard") && $0.value > 0 })
      #expect(written.contains { $0.key.contains("begat-names") && $0.value > 0 })
      #expect(written.contains { $0.key.contains("begat-fortune") && $0.value > 0 })
      #expect(!written.keys.contains { $0.contains("begat-admission") || $0.contains("begat-bans") })

      for service in ["other", "evil"] {
        #expect(try greeting(daemon, service).prefix { $0 != "," } == before)
      }
      _ = try daemon.awaitConnections(0, of: "evil")
      _ = try daemon.awaitConnections(0, of: "other")
      #expect(try daemon.begat("ps").status == .exited(code: 0))
      #expect(try daemon.begat("status", "evil").status == .exited(code: 0))
      let (other, evil) = (try status(daemon, "other"), try status(daemon, "evil"))
      #expect(other["accepted"] as? Int == 2 && other["ended"] as? Int == 2)
      #expect(evil["accepted"] as? Int == evil["ended"] as? Int && evil["active"] as? Int == 0)
      #expect((try daemon.listener("evil"), try daemon.listener("other")) == listeners)
    }
  }

  @Test(
    "that shuts down or fills the socket of questions takes the names of its own service alone",
    .enabled(if: canProbe && hasName, "needs root, the registers of x86-64, and 127.0.0.1 named in /etc/hosts"),
    arguments: ["shutdown", "fill"])
  func questions(attack: String) throws {
    try withDaemon(Self.services) { daemon in
      try withWaitingProcess(daemon) { process in
        let sockets = ProcessFacts.descriptors(of: process).filter { $0.value.hasPrefix("socket:") && $0.key > 2 }.keys
        let calls = sockets.flatMap { socket in
          attack == "shutdown"
            ? [["shutdown", "\(socket)", "2"]]
            : Array(repeating: ["sendto", "\(socket)", "%", "16", "\(MSG_DONTWAIT)", "0", "0"], count: 1000)
        }
        let results = try TestPrograms.call(in: process, calls)
        #expect(attack == "shutdown" ? results.contains(0) : results.contains(-Int(EAGAIN)), "\(results)")
      }
      #expect(try greeting(daemon, "other").hasPrefix("Hello there, localhost,"))
      // A new listener has a new socket.
      let listener = try daemon.listener("evil")
      try Signal.kill.send(to: listener)
      #expect(eventually { (try? daemon.listener("evil")) ?? listener != listener })
      #expect(try greeting(daemon, "evil").hasPrefix("Hello there, localhost,"))
    }
  }

  @Test("finds every file in memory sealed as far as it can be", .enabled(if: Machine.isRoot, "needs begatd's files"))
  func seals() throws {
    try withDaemon(Self.services) { daemon in
      _ = try greeting(daemon, "other")
      // F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE
      let expected: [String: CInt] = [
        "begat-names": 1 | 2 | 4, "begat-bans": 2 | 4 | 16, "begat-scoreboard": 2 | 4 | 16, "begat-admission": 2,
      ]
      var found: Set<String> = []
      for (number, target) in ProcessFacts.descriptors(of: daemon.process) {
        guard let name = expected.keys.first(where: { target.contains("memfd:\($0) ") }) else { continue }
        let file = try Descriptor.open("/proc/\(daemon.process)/fd/\(number)", .readOnly)
        #expect(fcntl(file.number, 1034) == expected[name], "\(name)")
        found.insert(name)
      }
      #expect(found == Set(expected.keys))
      // No listener keeps one open: it has mapped them.
      for service in ["evil", "other"] {
        let files = ProcessFacts.descriptors(of: try daemon.listener(service)).values.filter { $0.contains("memfd:") }
        #expect(files.isEmpty, "\(files)")
      }
    }
  }

  @Test("cannot write to begatd's log or terminal", arguments: ["echo", "command", "cat", "relayed", "waiting"])
  func standardError(of service: String) throws {
    let configuration =
      SampleConfiguration.service("echo") + SampleConfiguration.service("command")
      + "[service.command.commands]\nsleep = [\"/bin/sleep\", \"60\"]\n"
      + SampleConfiguration.program("cat", ["/bin/cat"])
      + SampleConfiguration.program("relayed", ["/bin/cat"], "relay = true")
      + (try SampleConfiguration.python(
        "waiting", "import socket; socket.socket(fileno=0).accept()[0].recv(1)", "wait = true"))
    try withDaemon(configuration) { daemon in
      let client = try Client(try daemon.address(service))
      if service == "command" { try client.send("sleep\n") }
      let process = try daemon.awaitConnections(1, of: service)[0]
      let own = try #require(ProcessFacts.descriptors(of: daemon.process)[2])
      // The relay's and the command server's program too, once it has been executed.
      let isNested = service == "command" || service == "relayed"
      #expect(eventually { !isNested || ProcessFacts.children(of: process).contains { !$0.title.hasPrefix("begat-") } })
      #expect(
        eventually {
          ([process] + ProcessFacts.descendants(of: process).map(\.process)).allSatisfy { process in
            guard let target = ProcessFacts.descriptors(of: process)[2] else { return false }
            return target.hasPrefix("pipe:") && target != own
          }
        })
      client.hangUp()
    }
  }

  @Test("of the resolver cannot write to begatd's log or terminal either")
  func resolverStandardError() throws {
    try withDaemon(SampleConfiguration.service("hello")) { daemon in
      let resolver = try resolver(daemon)
      #expect(eventually { ProcessFacts.descriptors(of: resolver)[2] == "/dev/null" })
    }
  }
}
