import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// SIGTERM to a listener and to its connections.
@Suite(.timeLimit(.minutes(30)))
struct StopSignalTests {
  private static let echo = ["--serve", "echo"]

  /// begatd hears of it, and can start another listener while this one drains.
  @Test func aFirstOneRetires() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    try client.send("x")
    #expect(try client.receive(count: 1) == [120])
    try listener.program.send(.terminate)
    try listener.awaitMessage(.retired)
    let successor = try SupervisedListener(Self.echo, sockets: [socket.number])
    try successor.begin()
    #expect(try ask(socket.address, "next") == Array("next".utf8))
    try client.send("y")
    #expect(try client.receive(count: 1) == [121])
    client.hangUp()
    try listener.awaitEnd()
    try successor.retire()
    try successor.awaitEnd()
  }

  /// Services that take long to end: a second signal gives them less than a second.
  struct Stubborn: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let offer: [String]
  }

  private static let deaf = "trap '' TERM HUP; (trap '' TERM; sleep 300) & echo $$ $!; while :; do sleep 300; done"
  private static let lingering = "echo $$; exec cat"

  static let stubborn = [
    Stubborn(testDescription: "a program", offer: ["--", "/bin/sh", "-c", deaf]),
    Stubborn(testDescription: "a relay", offer: ["--relay", "--", "/bin/sh", "-c", deaf]),
    Stubborn(testDescription: "a relay whose client stays", offer: ["--relay", "--", "/bin/sh", "-c", lingering]),
  ]

  @Test(arguments: stubborn)
  func aSecondOneEndsWithinASecond(_ service: Stubborn) throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(service.offer, sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    let processes = try processNumbers(try client.receive(until: "\n"))
    defer { for process in processes where !areGone([process]) { try? Signal.kill.send(to: process) } }
    try listener.program.send(.terminate)
    try listener.awaitMessage(.retired)
    let watch = Stopwatch()
    try listener.program.send(.terminate)
    try listener.awaitEnd(within: .seconds(3))
    #expect(watch.elapsed < .seconds(1), "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "a process is left")
    #expect(client.awaitEnd(within: .seconds(1)))
  }

  @Test func aSecondOneEndsACommandOfTheCommandServer() throws {
    let directory = try TemporaryDirectory()
    let deaf = try directory.write("#!/bin/sh\n\(Self.deaf)\n", to: "deaf", mode: 0o755)
    let socket = try TestSocket("127.0.0.1:0", in: directory)
    let listener = try SupervisedListener(
      ["--serve", "command", "--commands.deaf", deaf], sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    _ = try client.receive(until: Expected.prompt)
    try client.send("deaf\n")
    let processes = try processNumbers(try client.receive(until: "\n"))
    try listener.program.send(.terminate)
    try listener.awaitMessage(.retired)
    let watch = Stopwatch()
    try listener.program.send(.terminate)
    try listener.awaitEnd(within: .seconds(3))
    #expect(watch.elapsed < .seconds(1), "\(watch.elapsed)")
    #expect(eventually { areGone(processes) }, "a process is left")
  }

  /// A retirement by message counts as the first one.
  @Test func oneToARetiringListenerEndsItsConnections() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener.begin()
    let client = try Client(socket.address)
    try client.send("x")
    #expect(try client.receive(count: 1) == [120])
    try listener.retire()
    try listener.program.send(.terminate)
    try listener.awaitEnd(within: .seconds(2))
    #expect(client.awaitEnd(within: .seconds(1)))
    #expect(listener.records.map(\.outcome) == [.stopped(by: .terminate)])
  }

  @Test func connectionProcessesObeyIt() throws {
    for offer in [Self.echo, ["--relay", "--", "/bin/cat"], ["--", "/bin/cat"]] {
      let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
      let listener = try SupervisedListener(offer, sockets: [socket.number])
      try listener.begin()
      let client = try Client(socket.address)
      try client.send("x")
      #expect(try client.receive(count: 1) == [120])
      try Signal.terminate.send(to: try #require(listener.connections.first).process)
      #expect(client.awaitEnd(within: .seconds(2)))
      #expect(try listener.awaitRecord().outcome == .ended(by: .terminate), "\(offer)")
      try listener.retire()
      try listener.awaitEnd()
    }
  }

  @Test func theEndOfTheChannelRetires() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    var listener: SupervisedListener? = try SupervisedListener(Self.echo, sockets: [socket.number])
    try listener?.begin()
    let client = try Client(socket.address)
    try client.send("x")
    #expect(try client.receive(count: 1) == [120])
    let program = try #require(listener?.program)
    // With it goes the test's end of the channel.
    listener = nil
    try program.errors.awaitLines(containing: "the supervisor is gone")
    try client.send("y")
    #expect(try client.receive(count: 1) == [121])
    client.hangUp()
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  // MARK: Programs that have the sockets

  /// It waits for clients and signals together: a signal that comes just before it begins to wait is not lost.
  private static let server = """
    import os, select, signal, socket
    listener = socket.socket(fileno=0)
    signalled, handler = os.pipe()
    os.set_blocking(handler, False)
    signal.set_wakeup_fd(handler)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    watched = [listener, signalled]
    while True:
        select.select(watched, [], [])
        try: client, _ = listener.accept()
        except OSError:
            watched = [signalled]
            continue
        with client: client.sendall(b"%d\\n" % os.getpid())
    """

  private func waiting(_ socket: TestSocket, drainTimeout: String = "30s") throws -> SupervisedListener {
    try SupervisedListener(
      ["--wait", "--", try Programs.tool("python3"), "-c", Self.server], sockets: [socket.number],
      drainTimeout: drainTimeout)
  }

  @Test func aProgramThatHasTheSocketGoesOnUntilTheDrainTimeout() throws {
    let socket = try TestSocket("127.0.0.1:0", in: try TemporaryDirectory())
    let listener = try waiting(socket)
    try listener.begin()
    let answer = try ask(socket.address)
    try listener.send(.retire(Retirement(closesSockets: false, drainTimeout: .milliseconds(700))))
    let watch = Stopwatch()
    // Nobody else serves the socket yet.
    #expect(try ask(socket.address) == answer)
    #expect(try !listener.hasSaid(.retired))
    try listener.awaitMessage(.retired)
    #expect(watch.elapsed > .milliseconds(600) && watch.elapsed < .seconds(3), "\(watch.elapsed)")
    try listener.awaitEnd(within: .seconds(3))
    #expect(try listener.awaitRecord().outcome == .complete)
  }

  @Test(arguments: ["127.0.0.1:0", "/"])
  func aProgramWhoseSocketIsGivenUpIsToldToEnd(_ address: String) throws {
    let socket = try TestSocket(address, in: try TemporaryDirectory())
    let listener = try waiting(socket)
    try listener.begin()
    _ = try ask(socket.address)
    try socket.refuseNewClients()
    let watch = Stopwatch()
    try listener.retire(closing: true)
    #expect(watch.elapsed < .seconds(3), "\(watch.elapsed)")
    try listener.awaitEnd(within: .seconds(3))
  }

  /// Those who wait get a program even then.
  @Test(arguments: ["127.0.0.1:0", "/"])
  func whoWaitsForAProgramIsServed(_ address: String) throws {
    let socket = try TestSocket(address, in: try TemporaryDirectory())
    let listener = try waiting(socket)
    try listener.awaitMessage(.ready)
    let clients = try (0..<5).map { _ in try Client(socket.address) }
    try socket.refuseNewClients()
    try listener.send(.begin(clearing: 0))
    try listener.send(.retire(Retirement(closesSockets: true, drainTimeout: .seconds(30))))
    for client in clients { #expect(try client.receiveText().hasSuffix("\n")) }
    try listener.awaitMessage(.retired)
    try listener.awaitEnd(within: .seconds(3))
  }
}
