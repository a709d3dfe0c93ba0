import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd and its clients, while others do to the control sockets what they can.
@Suite(.timeLimit(.minutes(30)))
struct ControlHostilityTests {
  /// Ten thousand requests, most of them damaged, each through a connection of its own.
  private static let damaged = """
    import random, socket, sys
    random.seed(13)
    good = [b'{"version":1,"request":"status"}', b'{"version":1,"request":"ps","service":"time"}',
            b'{"version":1,"request":"end","connections":["time/1.2.3"]}', b'[' * 9000, b'\\xff\\x00' * 100,
            b'{"version":1,"request":"ps","service":"' + b'a' * 8000 + b'"}', b'', b'\\n' * 50]
    answers = 0
    for number in range(10000):
        line = bytearray(random.choice(good))
        for _ in range(random.randrange(4)):
            place = random.randrange(len(line) + 1)
            kind = random.randrange(3)
            if kind == 0: line[place:place] = bytes([random.randrange(256)])
            elif kind == 1: del line[place:place + random.randrange(1, 9)]
            else: line[place:place] = line[:place]
        client = socket.socket(socket.AF_UNIX)
        client.connect(sys.argv[1 + number % 2])
        client.settimeout(20)
        try:
            client.sendall(bytes(line) + b"\\n" * random.randrange(2))
            client.shutdown(socket.SHUT_WR)
            while True:
                more = client.recv(65536)
                if not more: break
                answers += more.count(b"\\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        client.close()
    print("answers", answers, flush=True)
    """

  /// A thousand connections that ask nothing, more than half of them with half a line.
  private static let idle = """
    import resource, socket, sys
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    clients = []
    for number in range(1000):
        client = socket.socket(socket.AF_UNIX)
        client.connect(sys.argv[1 + number % 2])
        if number % 3:
            try: client.sendall(b'{"version":1,')
            except BrokenPipeError: pass
        clients.append(client)
    print("idle", flush=True)
    sys.stdin.read()
    """

  private func memory(_ daemon: Daemon) throws -> Int {
    let line = try #require(ProcessFacts.statusLine("VmRSS", of: daemon.process))
    return try #require(Int(line.split(separator: " ")[0]))
  }

  private func descriptors(_ daemon: Daemon) -> Int { ProcessFacts.descriptors(of: daemon.process).count }

  private func start(_ script: String, _ daemon: Daemon) throws -> RunningProgram {
    try RunningProgram(
      try Programs.tool("python3"),
      ["-c", script, daemon.directory.path("run/control"), daemon.directory.path("run/status")], input: .pipe)
  }

  /// Serves clients until something holds; returns how many.
  private func serve(_ daemon: Daemon, until isOver: () -> Bool) throws -> Int {
    let address = try daemon.address("time")
    let deadline = Deadline(within: .seconds(120))
    var count = 0
    while !isOver(), !deadline.hasPassed {
      #expect(try ask(address).count == 4)
      count += 1
    }
    return count
  }

  @Test func changesNeitherMemoryNorDescriptorsNorService() throws {
    try withDaemon(SampleConfiguration.service("time", "log = \"none\"")) { daemon in
      // Memory that is allocated at the first use is not counted.
      for request in ["status", "ps"] { #expect(try daemon.begat(request).status == .exited(code: 0)) }
      let first = try start(Self.damaged.replacing("range(10000)", with: "range(500)"), daemon)
      #expect(try first.awaitEnd(within: .seconds(60)) == .exited(code: 0))
      let before = (descriptors: descriptors(daemon), memory: try memory(daemon))

      let damaged = try start(Self.damaged, daemon)
      #expect(try serve(daemon) { damaged.hasEnded } > 0)
      #expect(try damaged.awaitEnd() == .exited(code: 0), "\(damaged.errors.text)")
      let answers = Int(damaged.output.text.split(separator: " ").last.map { $0.filter(\.isNumber) } ?? "") ?? 0
      #expect(answers > 9000)

      let idle = try start(Self.idle, daemon)
      #expect(try serve(daemon) { idle.output.text.contains("idle") || idle.hasEnded } > 0)
      #expect(!idle.hasEnded, "\(idle.errors.text)")
      #expect(descriptors(daemon) <= before.descriptors + 128)
      // Those who ask come first, and all of the others have to go.
      #expect(try daemon.begat("status").status == .exited(code: 0))
      #expect(
        eventually(within: .seconds(60)) { descriptors(daemon) == before.descriptors },
        "\(ProcessFacts.descriptors(of: daemon.process))")
      #expect(try memory(daemon) <= before.memory + 1024)
      idle.endInput()
      try idle.awaitEnd()
    }
  }
}
