import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Attacks from inside an executed program against processes of others.
@Suite(.timeLimit(.minutes(30)))
struct ProgramAttackTests {
  /// Finds begatd and the processes of the service `other`, attacks them and its own listener, and says what succeeded.
  private static let script = """
    import ctypes, errno, os, platform, signal, struct, sys
    libc = ctypes.CDLL(None, use_errno=True)
    x86 = platform.machine() == "x86_64"
    done = []
    def attempt(name, action):
        try:
            if action() != -1: done.append(name)
        except OSError: pass
    def title(process):
        try: return open(f"/proc/{process}/cmdline", "rb").read().replace(b"\\0", b" ").decode()
        except OSError: return ""
    listener = os.getppid()
    begatd = int(open(f"/proc/{listener}/stat").read().rsplit(")", 1)[1].split()[1])
    def parent(process):
        try: return int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError: return 0
    processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    family = [process for process in processes if begatd in (process, parent(process), parent(parent(process)))]
    mine = (os.getpid(), listener)
    victims = [process for process in family if process not in mine and parent(process) != listener]
    print(len([victim for victim in victims if "(spare)" not in title(victim)]), flush=True)
    for victim in victims:
        name = title(victim)
        attempt(f"signal {name}", lambda: os.kill(victim, 0))
        attempt(f"kill {name}", lambda: os.kill(victim, signal.SIGKILL))
        attempt(f"trace {name}", lambda: libc.syscall(101 if x86 else 117, 16, victim, 0, 0))
        for file in ("mem", "environ", "fd", "maps"):
            attempt(f"{file} {name}", lambda: os.listdir(f"/proc/{victim}/fd") and 0 if file == "fd"
                    else os.open(f"/proc/{victim}/{file}", os.O_RDWR if file == "mem" else os.O_RDONLY))
    # Its own listener can be signalled, and must survive that.
    exit_signal = signal.SIGRTMIN + 1
    info = struct.pack("iiiiiI", exit_signal, 0, -1, 0, os.getpid(), os.getuid()).ljust(128, b"\\0")
    for turn in range(10000):
        libc.syscall(129 if x86 else 138, listener, exit_signal, info)
        os.kill(listener, signal.SIGCHLD); os.kill(listener, signal.SIGHUP)
    os.write(2, b"\\x1b]0;title\\x07 begatd: other: forged\\n")
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}"): done.append("descriptor " + os.readlink(f"/proc/self/fd/{name}"))
    if "begat-" in open("/proc/self/maps").read(): done.append("memory")
    print(*(done or ["nothing"]), sep="\\n")
    """

  @Test("does nothing to begatd, its resolver and other services", .enabled(if: Machine.isRoot, "needs users"))
  func attacks() throws {
    let configuration =
      try SampleConfiguration.python("evil", Self.script, "user = \"daemon\"")
      + SampleConfiguration.service("other", serving: "hello") + SampleConfiguration.service("echo")
    try withDaemon(configuration) { daemon in
      let open = try Client(try daemon.address("echo"))
      let process = try daemon.awaitConnections(1, of: "echo")[0]
      _ = try Spares(of: daemon.listener("echo")).awaitSome()
      let listeners = try ["evil", "other", "echo"].map { try daemon.listener($0) }
      for _ in 0..<2 {
        let lines = String(decoding: try ask(daemon.address("evil")), as: UTF8.self).split(separator: "\n")
        // Without spares: begatd, its resolver, two listeners and a connection process.
        #expect(lines.first == "5")
        #expect(lines.dropFirst() == ["nothing"], "\(lines)")
      }
      try daemon.log.awaitLines(2, containing: #"\x1b]0;title\x07 begatd: other: forged"#)
      #expect(daemon.log.lines(containing: "forged").allSatisfy { $0.contains("evil: pid ") })

      try open.send("alive\n")
      #expect(try open.receive(until: "\n") == "alive\n")
      #expect(try daemon.awaitConnections(1, of: "echo") == [process])
      #expect(try ask(daemon.address("other")).starts(with: Array("Hello there, ".utf8)))
      #expect(try ["evil", "other", "echo"].map { try daemon.listener($0) } == listeners)
      _ = try daemon.awaitConnections(0, of: "evil")
      let answer = try json(try daemon.begat("status", "--json"), as: [String: Any].self)
      let counts = (answer["services"] as? [[String: Any]] ?? []).map {
        [$0["accepted"] as? Int, $0["active"] as? Int]
      }
      #expect(counts == [[2, 0], [1, 0], [1, 1]])
      open.hangUp()
    }
  }
}
