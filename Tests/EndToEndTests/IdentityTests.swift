import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Users of services' own.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "needs root, which alone gives users"))
struct IdentityTests {
  /// The user of a process.
  private func user(_ process: pid_t) throws -> UInt32 {
    let words = try #require(ProcessFacts.statusLine("Uid", of: process)).split(separator: "\t")
    #expect(Set(words).count == 1 && words.count == 4)
    let group = try #require(ProcessFacts.statusLine("Gid", of: process)).split(separator: "\t")
    #expect(Set(group) == Set(words))
    #expect(try #require(ProcessFacts.statusLine("Groups", of: process)) == String(words[0]))
    return try #require(UInt32(words[0]))
  }

  private func users(_ daemon: Daemon, _ services: String...) throws -> [String: UInt32] {
    var users: [String: UInt32] = [:]
    for service in services { users[service] = try user(daemon.listener(service)) }
    return users
  }

  private func resolver(_ daemon: Daemon) -> pid_t? {
    ProcessFacts.children(of: daemon.process).first { $0.title.contains("--resolve-names") && !$0.isZombie }?.process
  }

  /// The output of `begat check` for the configuration that a begatd runs with.
  private func check(_ directory: TemporaryDirectory, _ environment: [String]) throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.begat(), ["check", directory.path("begatd.toml")], environment: environment)
  }

  @Test("each service, its connections and the resolver have a user that no other has")
  func usersDiffer() throws {
    let configuration =
      SampleConfiguration.service("hello") + SampleConfiguration.service("command")
      + SampleConfiguration.program("id", ["/usr/bin/id", "-u"])
    try withDaemon(configuration) { daemon in
      let users = try self.users(daemon, "hello", "command", "id")
      let resolver = try #require(self.resolver(daemon))
      #expect(eventually { ProcessFacts.statusLine("Uid", of: resolver)?.hasPrefix("0") == false })
      let all = Array(users.values) + [try user(resolver)]
      #expect(Set(all).count == 4 && all.allSatisfy { (65_536...99_999).contains($0) }, "\(all)")
      let answer = String(decoding: try ask(daemon.address("id")), as: UTF8.self)
      #expect(UInt32(answer.trimmed) == users["id"])
      let client = try Client(daemon.address("command"))
      let process = try daemon.awaitConnections(1, of: "command")[0]
      let number = try user(process)
      #expect(number == users["command"])
      client.hangUp()
    }
  }

  @Test("a service keeps its user over restarts, reloads and changes of other services")
  func usersStay() throws {
    let directory = try TemporaryDirectory()
    let state = ["STATE_DIRECTORY=\(directory.path("state")):/nonexistent"]
    let two = SampleConfiguration.service("echo") + SampleConfiguration.service("time")
    let daemon = try Daemon(two, in: directory, environment: state)
    let before = try users(daemon, "echo", "time")
    let listener = try daemon.listener("echo")
    let line = try daemon.reload(SampleConfiguration.service("daytime") + two)
    #expect(line.contains("added daytime; 2 services unchanged"), "\(line)")
    #expect(try daemon.listener("echo") == listener)
    let added = try users(daemon, "daytime")
    #expect(Set(before.values).union(added.values).count == 3)
    let file = try String(contentsOfFile: directory.path("state/identities"), encoding: .utf8)
    for (name, number) in before.merging(added, uniquingKeysWith: { $1 }) {
      #expect(file.contains("\n\(name) \(number)\n"), "\(file)")
    }
    try daemon.stop()
    #expect(try String(contentsOfFile: directory.path("state/identities"), encoding: .utf8) == file)

    // The file decides, and a service that is gone keeps its number.
    let moved = file.replacing("\necho \(before["echo"]!)\n", with: "\necho 99999\n")
    try directory.write(moved, to: "state/identities")
    let again = try Daemon(SampleConfiguration.service("echo"), in: directory, environment: state)
    #expect(try self.users(again, "echo") == ["echo": 99_999])
    let check = try self.check(directory, state)
    #expect(check.output.text.contains(/echo +echo +begat-echo \(99999\) +stream/), "\(check.output.text)")
    try again.stop()
    #expect(try String(contentsOfFile: directory.path("state/identities"), encoding: .utf8) == moved)
  }

  @Test("a user that is set, or set no more, changes the service")
  func settingTheUser() throws {
    let directory = try TemporaryDirectory()
    let own = SampleConfiguration.service("echo") + SampleConfiguration.service("time")
    let daemon = try Daemon(own, in: directory)
    let before = try users(daemon, "echo", "time")
    let line = try daemon.reload(own + "user = \"nobody\"\n")
    #expect(line.contains("changed time (user, group); 1 service unchanged"), "\(line)")
    #expect(eventually { (try? users(daemon, "time")["time"]) != before["time"] })
    _ = try daemon.reload(own)
    #expect(eventually { (try? users(daemon, "echo", "time")) == before })
    try daemon.stop()
  }

  @Test("a trial of a reload remembers nothing, and another range moves services")
  func trialsAndRanges() throws {
    let directory = try TemporaryDirectory()
    let state = ["STATE_DIRECTORY=\(directory.path("state"))"]
    let echo = SampleConfiguration.service("echo")
    let daemon = try Daemon(echo, in: directory, environment: state)
    let file = try String(contentsOfFile: directory.path("state/identities"), encoding: .utf8)
    try directory.write(echo + SampleConfiguration.service("time"), to: "begatd.toml")
    let trial = try RunningProgram.run(
      try Programs.begat(), ["reload", "--dry-run"], environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    #expect(trial.output.text.contains("time"), "\(trial.output.text)\(trial.errors.text)")
    #expect(try String(contentsOfFile: directory.path("state/identities"), encoding: .utf8) == file)
    _ = try daemon.reload("[daemon]\nidentity-range = \"70000-70009\"\n" + echo)
    #expect(eventually { (try? users(daemon, "echo")["echo"]).map { (70_000...70_009).contains($0) } ?? false })
    try daemon.stop()
  }

  // MARK: What it keeps apart

  /// A program that tells its number, and one that does something to the process whose number a client sends.
  private func neighbours(_ keys: String) throws -> String {
    let attack = """
      import os, sys
      victim = int(sys.stdin.readline())
      def attempt(name, action):
          try: action(); print(name, "done")
          except OSError as error: print(name, os.strerror(error.errno))
      attempt("signal", lambda: os.kill(victim, 0))
      attempt("environ", lambda: open(f"/proc/{victim}/environ", "rb").read())
      """
    return SampleConfiguration.script("victim", "echo $$; exec cat", keys)
      + "[service.victim.environment]\nSECRET = \"x\"\n" + (try SampleConfiguration.python("attacker", attack, keys))
  }

  @Test(
    "programs of two services can do nothing to each other, unless they share a user",
    arguments: [("", "Operation not permitted", "Permission denied"), ("user = \"nobody\"", "done", "done")])
  func neighbours(keys: String, signal: String, file: String) throws {
    try withDaemon(try neighbours(keys)) { daemon in
      let victim = try Client(daemon.address("victim"))
      let number = try victim.receive(until: "\n").trimmed
      #expect(eventually { ProcessFacts.title(pid_t(number) ?? 0) == "cat" })
      let answer = String(decoding: try ask(daemon.address("attacker"), "\(number)\n"), as: UTF8.self)
      #expect(answer == "signal \(signal)\nenviron \(file)\n")
      let warnings = daemon.log.lines(containing: "can signal and trace each other")
      #expect(warnings.count == (keys.isEmpty ? 0 : 1), "\(warnings)")
      victim.hangUp()
    }
  }

  // MARK: Where numbers are missing

  @Test("where no number is left, services share nobody, and one warning says so")
  func exhaustion() throws {
    let services = SampleConfiguration.service("echo") + SampleConfiguration.service("time")
    try withDaemon("[daemon]\nidentity-range = \"70000-70000\"\n" + services) { daemon in
      let users = try ["echo", "time"].map { ProcessFacts.statusLine("Uid", of: try daemon.listener($0)) ?? "" }
      #expect(users.contains { $0.hasPrefix("65534\t") }, "\(users)")
      let warnings = daemon.log.lines(containing: "no user of its own for")
      #expect(warnings.count == 1 && warnings[0].contains("no number of identity-range 70000-70000 is left; widen it"))
    }
  }

  /// Executes its arguments in a user namespace that has the numbers of the first one.
  private static let namespace = """
    import ctypes, os, sys
    begin, end = os.pipe(), os.pipe()
    me = os.getpid()
    if os.fork() == 0:
        os.read(begin[0], 1)
        for name in "uid_map", "gid_map":
            with open(f"/proc/{me}/{name}", "w") as file: file.write(sys.argv[1])
        os.write(end[1], b"x")
        os._exit(0)
    if ctypes.CDLL(None).unshare(0x10000000) != 0: sys.exit("unshare")
    os.write(begin[1], b"x")
    os.read(end[0], 1)
    os.wait()
    for number in begin + end: os.close(number)
    os.execv(sys.argv[2], sys.argv[2:])
    """

  private func wrapper(map: String) throws -> [String] { [try Programs.tool("python3"), "-c", Self.namespace, map] }

  @Test("in a container that has no number of the range, services share nobody, and one warning says what to do")
  func smallMap() throws {
    let services = SampleConfiguration.service("echo") + SampleConfiguration.service("hello")
    try withDaemon(services, wrapper: try wrapper(map: "0 0 65535")) { daemon in
      for service in ["echo", "hello"] {
        let listener = try daemon.listener(service)
        #expect(ProcessFacts.statusLine("Uid", of: listener)?.hasPrefix("65534\t") == true)
      }
      let warnings = daemon.log.lines(containing: "no user of its own for")
      #expect(
        warnings.count == 1 && warnings[0].contains("echo, hello, the resolver of names; they share the user nobody")
          && warnings[0].contains("/proc/self/uid_map"), "\(warnings)")
    }
    // Mapped numbers are used.
    try withDaemon(services, wrapper: try wrapper(map: "0 0 1\n70000 70000 3")) { daemon in
      let users = try self.users(daemon, "echo", "hello")
      #expect(Set(users.values).count == 2 && users.values.allSatisfy { (70_000...70_002).contains($0) })
    }
  }

  @Test("the resolver does not run where it would be root, and one warning says so")
  func noResolver() throws {
    let hello = SampleConfiguration.service("hello", "user = \"root\"")
    try withDaemon(hello, wrapper: try wrapper(map: "0 0 1")) { daemon in
      let answer = try ask(daemon.address("hello"))
      #expect(String(decoding: answer, as: UTF8.self).contains("127.0.0.1"))
      #expect(resolver(daemon) == nil)
      #expect(daemon.log.lines(containing: "names of hosts are not looked up").count == 1, "\(daemon.log.text)")
    }
  }

  @Test("the resolver goes on, also when it is started again, where a reload has no user for it")
  func resolverWithoutAnotherUser() throws {
    let hello = SampleConfiguration.service("hello", "user = \"root\"")
    let map = try wrapper(map: "0 0 1\n70000 70000 3")
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(hello, in: directory, wrapper: map)
    let first = try #require(resolver(daemon))
    #expect(eventually { ProcessFacts.statusLine("Uid", of: first)?.hasPrefix("7000") == true })
    let user = try #require(ProcessFacts.statusLine("Uid", of: first))
    _ = try daemon.reload("[daemon]\nidentity-range = \"80000-80009\"\n" + hello)
    try daemon.log.awaitLines(containing: "no other user for the resolver, which keeps its own")
    try Signal.kill.send(to: first)
    #expect(
      eventually {
        guard let second = resolver(daemon), second != first else { return false }
        return ProcessFacts.statusLine("Uid", of: second) == user
      }, "\(daemon.log.text)")
    try daemon.stop()
  }

  // MARK: The machine's name service

  private static let knowsRecords: Bool = {
    let file = (try? String(contentsOfFile: "/etc/nsswitch.conf", encoding: .utf8)) ?? ""
    return file.contains(/(?m)^passwd:.*\bsystemd\b/) && file.contains(/(?m)^group:.*\bsystemd\b/)
  }()

  @Test("tools show the users' names", .enabled(if: knowsRecords, "needs nss-systemd in /etc/nsswitch.conf"))
  func records() throws {
    // Nothing of the machine's own is touched.
    let script = """
      mount --make-rprivate / && mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/lib &&
      exec "$0" "$@"
      """
    let long = "abcdefghijklmnopqrstuvwxyz"
    let commands = """
      getent passwd begat-show; getent group begat-show; id begat-show; ps -o user:32= -p $$; ls -ld /proc/$$ |
      cut -d' ' -f3,4; ps -eo user:32= | grep begat- | grep -v -e -show -e -names
      """
    let configuration =
      SampleConfiguration.script("show", commands) + SampleConfiguration.service(long, serving: "echo")
    try withDaemon(
      configuration, environment: ["STATE_DIRECTORY=/var/lib/begat"],
      wrapper: [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", script]
    ) { daemon in
      let users = try self.users(daemon, "show", long)
      let number = try #require(users["show"])
      let lines = String(decoding: try ask(daemon.address("show")), as: UTF8.self).split(separator: "\n").map(
        String.init)
      #expect(
        lines == [
          "begat-show:x:\(number):\(number):begat service show:/:/usr/sbin/nologin", "begat-show:x:\(number):",
          "uid=\(number)(begat-show) gid=\(number)(begat-show) groups=\(number)(begat-show)", "begat-show",
          "begat-show begat-show", "begat-\(users[long] ?? 0)-abcdefghijklmnopqrs",
        ], "\(lines)")
    }
  }

  @Test("a begatd with a state directory of its own publishes nothing")
  func noRecords() throws {
    let script = "mount --make-rprivate / && mount -t tmpfs -o mode=755 none /run && exec \"$0\" \"$@\""
    try withDaemon(
      SampleConfiguration.service("time"),
      wrapper: [try Programs.tool("unshare"), "-m", try Programs.tool("sh"), "-c", script]
    ) { daemon in
      #expect(access("/proc/\(daemon.process)/root/run", F_OK) == 0)
      #expect(access("/proc/\(daemon.process)/root/run/userdb", F_OK) == -1)
    }
  }
}
