import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The time of a stop where programs have the listening sockets, or clients wait at them: whatever they do, the addresses
/// are free within a second.
@Suite(.timeLimit(.minutes(30)))
struct WaitStopTimeTests {
  /// Accepts one client in a child; both ignore SIGTERM.
  private static let deaf = """
    import os, signal, socket
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener = socket.socket(fileno=0)
    client, _ = listener.accept()
    child = os.fork()
    if child == 0:
        client.sendall(f"{os.getppid()} {os.getpid()}\\n".encode())
        while True: signal.pause()
    while True: signal.pause()
    """

  private static let limit = Duration.milliseconds(1600)

  @Test("nothing of a program keeps an address for more than a second", arguments: [false, true])
  func ofBegatd(leavesListeners: Bool) throws {
    let directory = try TemporaryDirectory()
    let port = try FreePorts.addresses(1)[0]
    let configuration = try WaitingProgram.configuration(Self.deaf).replacing("127.0.0.1:0", with: port)
    let options = leavesListeners ? ["--leave-listeners"] : []
    let daemon = try Daemon(configuration, in: directory, options: options)
    defer { daemon.kill() }
    let client = try Client(port)
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "processes are left")
    client.hangUp()
    let next = try Daemon(configuration, in: directory)
    try next.stop()
  }

  @Test("nor does a child of a program that has ended", arguments: [false, true])
  func ofAChild(leavesListeners: Bool) throws {
    let script = """
      import os, signal, socket
      signal.signal(signal.SIGTERM, signal.SIG_IGN)
      listener = socket.socket(fileno=0)
      client, _ = listener.accept()
      if os.fork() == 0:
          client.sendall(f"{os.getpid()}\\n".encode())
          while True: signal.pause()
      """
    let directory = try TemporaryDirectory()
    let port = try FreePorts.addresses(1)[0]
    let configuration = try WaitingProgram.configuration(script).replacing("127.0.0.1:0", with: port)
    let daemon = try Daemon(configuration, in: directory, options: leavesListeners ? ["--leave-listeners"] : [])
    defer { daemon.kill() }
    let client = try Client(port)
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    try daemon.log.awaitLines(containing: "waiting: pid ")
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "processes are left")
    client.hangUp()
    let next = try Daemon(configuration, in: directory)
    try next.stop()
  }

  @Test("a listener by itself does the same")
  func ofAListener() throws {
    let listener = try RunningProgram(
      try Programs.listener(),
      ["--listen-stream", "127.0.0.1:0", "--wait", "true", "--", try Programs.tool("python3"), "-c", Self.deaf])
    let line = try listener.errors.awaitLines(containing: "ready on ")[0]
    let client = try Client(String(line.split(separator: " ").last ?? ""))
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    let watch = Stopwatch()
    try listener.send(.terminate)
    #expect(try listener.awaitEnd(within: .seconds(5)) == .exited(code: 0))
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "processes are left")
    client.hangUp()
  }

  @Test("a killed begatd's listener does the same")
  func ofAKilledBegatd() throws {
    let daemon = try Daemon(try WaitingProgram.configuration(Self.deaf), in: try TemporaryDirectory())
    defer { daemon.kill() }
    let client = try Client(try daemon.address("waiting"))
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    daemon.noteProcesses()
    let watch = Stopwatch()
    daemon.program.kill()
    #expect(eventually { areGone(processes) })
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    client.hangUp()
  }

  @Test("a program of the configuration before goes on after a reload, and ends with begatd")
  func ofAFormerGeneration() throws {
    let configuration = try WaitingProgram.configuration(Self.deaf)
    let daemon = try Daemon(configuration, in: try TemporaryDirectory(), options: ["--leave-listeners"])
    defer { daemon.kill() }
    let client = try Client(try daemon.address("waiting"))
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    try daemon.reload(configuration + "umask = \"0027\"\n")
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(try daemon.program.awaitEnd(within: .seconds(5)) == .exited(code: 0), "\(daemon.log.text)")
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "processes are left")
    client.hangUp()
  }

  @Test(
    "clients that wait at a full service do not hold up a begatd that leaves its listeners",
    arguments: [
      SampleConfiguration.service("echo"), SampleConfiguration.program("echo", ["/bin/cat"]),
      SampleConfiguration.program("echo", ["/bin/cat"], "relay = true"),
    ])
  func aFullService(service: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = service + "max-connections = 1\n"
    let daemon = try Daemon(configuration, in: directory, options: ["--leave-listeners"])
    defer { daemon.kill() }
    let address = try daemon.address("echo")
    let served = try Client(address)
    try served.send("x")
    #expect(try served.receive(count: 1) == Array("x".utf8))
    let waiting = try Client(address)
    let watch = Stopwatch()
    try daemon.program.send(.terminate)
    #expect(eventually { daemon.program.hasEnded })
    #expect(watch.elapsed < Self.limit, "\(watch.elapsed)")
    // The connection goes on, and the address is free.
    try served.send("y")
    #expect(try served.receive(count: 1) == Array("y".utf8))
    let next = try Daemon(configuration.replacing("127.0.0.1:0", with: address), in: directory)
    try next.stop()
    served.hangUp()
    waiting.hangUp()
  }
}
