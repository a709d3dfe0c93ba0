import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Drains of services whose sockets the service manager passed, and keeps.
@Suite(.timeLimit(.minutes(30)))
struct PassedSocketDrainTests {
  private struct Server {
    let directory: TemporaryDirectory
    let activated: ActivatedProgram

    func begat(_ words: String...) throws -> RunningProgram {
      try RunningProgram.run(try Programs.begat(), words + ["--control", directory.path("control")])
    }

    func stop() throws {
      try activated.program.send(.terminate)
      #expect(try activated.program.awaitEnd() == .exited(code: 0), "\(activated.program.errors.text)")
    }
  }

  private func server(_ address: String, isDatagram: Bool = false) throws -> Server {
    let directory = try TemporaryDirectory()
    let key = isDatagram ? "listen-datagram" : "listen-stream"
    let file = try directory.write(
      """
      [daemon]
      control-socket = "\(directory.path("control"))"
      [service.time]
      serve = "time"
      \(key) = ["fd:t"]
      rate-per-source = "none"

      """, to: "begatd.toml")
    let place = address == "/" ? directory.path("t.sock") : address
    return Server(
      directory: directory,
      activated: try ActivatedProgram(
        [try Programs.begatd(), "--config", file], addresses: [place], names: ["t"], options: isDatagram ? ["-d"] : []))
  }

  /// Connects within the time.
  private func isConnected(_ address: String, within limit: Duration) throws -> Bool {
    let client = try ClientSocket.start(to: try #require(SocketAddress(address)))
    return client.wait(for: .writable, until: UnixCore.Deadline(after: limit))
  }

  /// Whether the kernel takes a filter of a listening TCP socket from a process without CAP_NET_ADMIN, as begatd is.
  private static let takesFilters: Bool = {
    let script = """
      import ctypes, socket, struct
      instruction = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0xffffffff))
      server = socket.create_server(("127.0.0.1", 0))
      server.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", 1, ctypes.addressof(instruction)))
      """
    let privileges = Machine.isRoot ? ["--inh-caps=-net_admin", "--bounding-set=-net_admin"] : []
    let probe = try? RunningProgram.run(
      Programs.tool("setpriv"), privileges + [Programs.tool("python3"), "-c", script])
    return probe?.status == .exited(code: 0)
  }()

  @Test(.enabled(if: takesFilters, "this kernel takes no filter without CAP_NET_ADMIN"))
  func tcpClientsAreDroppedUntilTheResumption() throws {
    let server = try server(try FreePorts.addresses(1)[0])
    let address = server.activated.addresses[0]
    #expect(Expected.isTime(try ask(address)))
    for _ in 0..<2 {
      let drain = try server.begat("drain", "time", "--wait")
      #expect(drain.status == .exited(code: 0), "\(drain.errors.text)")
      #expect(drain.output.text == "time: drained\n")
      #expect(try !isConnected(address, within: .milliseconds(300)))
      // One that comes meanwhile repeats its SYN.
      let waiting = try ClientSocket.start(to: try #require(SocketAddress(address)))
      let resume = try server.begat("resume", "time")
      #expect(resume.status == .exited(code: 0), "\(resume.errors.text)")
      let isConnected = waiting.wait(for: .writable, until: UnixCore.Deadline(after: .seconds(10)))
      #expect(isConnected)
      #expect(Expected.isTime(try ask(address)))
    }
    try server.stop()
  }

  /// The next begatd takes over the socket as it should be.
  @Test(
    .enabled(if: takesFilters, "this kernel takes no filter without CAP_NET_ADMIN"),
    arguments: [Signal.terminate, .kill])
  func theNextBegatdServes(_ signal: Signal) throws {
    let directory = try TemporaryDirectory()
    let text = """
      [daemon]
      control-socket = "\(directory.path("control"))"
      [service.time]
      serve = "time"
      listen-stream = ["fd:t"]

      """
    let file = try directory.write(text, to: "begatd.toml")
    let socket = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 16)
    let address = try #require(try socket.descriptor.localAddress().address).description
    func start() throws -> RunningProgram {
      let ready = try PipeEnds()
      let script = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=t exec \"$0\" \"$@\""
      let program = try RunningProgram(
        "/bin/sh", ["-c", script, try Programs.begatd(), "--config", file, "--ready-fd", "4"],
        passing: [socket.descriptor.number, ready.writeEnd.number])
      let reading = ready.readEnd
      _ = consume ready.writeEnd
      #expect(CollectedOutput(reading: reading).awaitEnd(within: .seconds(15)))
      return program
    }
    let first = try start()
    #expect(Expected.isTime(try ask(address)))
    let drain = try RunningProgram.run(
      try Programs.begat(), ["drain", "time", "--wait", "--control", directory.path("control")])
    #expect(drain.status == .exited(code: 0), "\(drain.errors.text)")
    #expect(try !isConnected(address, within: .milliseconds(200)))
    try first.send(signal)
    try first.awaitEnd()
    // An orderly stop leaves the socket to the service manager as it was.
    if signal == .terminate { #expect(try isConnected(address, within: .seconds(5))) }
    let second = try start()
    #expect(Expected.isTime(try ask(address)))
    try second.send(.terminate)
    try second.awaitEnd()
  }

  /// The kernel has no way to let one refuse clients for a while: they wait, and that is logged.
  @Test(arguments: takesFilters ? ["Unix"] : ["Unix", "TCP"]) func clientsWait(_ kind: String) throws {
    let server = try server(try kind == "Unix" ? "/" : FreePorts.addresses(1)[0])
    let address = server.activated.addresses[0]
    #expect(Expected.isTime(try ask(address)))
    let answer = "new clients wait at \(address) until begat resume, because the service manager keeps the socket\n"
    let drain = try server.begat("drain", "time")
    #expect(drain.output.text.hasSuffix("; " + answer), "\(drain.output.text)")
    let wait = try server.begat("drain", "time", "--wait")
    #expect(wait.status == .exited(code: 0) && wait.output.text == "time: drained; " + answer, "\(wait.output.text)")
    try server.activated.program.errors.awaitLines(containing: "new ones wait there until begat resume")
    let waiting = try Client(address)
    #expect(!waiting.hears(within: .milliseconds(200)))
    #expect(try server.begat("resume", "time").status == .exited(code: 0))
    #expect(Expected.isTime(try waiting.receiveAll()))
    try server.stop()
  }

  @Test func datagramsAreDropped() throws {
    let server = try server(try FreePorts.addresses(1)[0], isDatagram: true)
    let address = server.activated.addresses[0]
    #expect(Expected.isTime(try DatagramClient.ask(address)))
    #expect(try server.begat("drain", "time", "--wait").status == .exited(code: 0))
    let lost = try DatagramClient(address)
    try lost.send([0])
    #expect(try lost.receive(within: .milliseconds(300)) == nil)
    #expect(try server.begat("resume", "time").status == .exited(code: 0))
    #expect(Expected.isTime(try DatagramClient.ask(address)))
    try server.stop()
  }
}
