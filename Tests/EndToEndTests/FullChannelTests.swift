import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Orders to a listener that does not read for a while, so that its channel is full.
@Suite(.timeLimit(.minutes(30)))
struct FullChannelTests {
  /// Stops the listener of `command` and fills its channel with orders to end a connection.
  ///
  /// - Returns: the command that gave the orders; it ends five seconds later.
  private func fillChannel(_ daemon: Daemon, of client: Client) throws -> RunningProgram {
    let process = try #require(try daemon.connections("command").first?.process)
    try Signal(rawValue: SIGSTOP).send(to: try daemon.listener("command"))
    // More than the kernel keeps for a socket, in one request.
    let orders = try daemon.start(["end"] + Array(repeating: "\(process)", count: 900))
    try daemon.log.awaitLines(containing: "control: {")
    return orders
  }

  private static let configuration = SampleConfiguration.service("command", "max-connections-per-source = 256")

  /// A signal in the place of the order would end the listener without its accepting them.
  @Test func aDrainStillAcceptsThoseWhoWait() throws {
    try withDaemon(Self.configuration) { daemon in
      let address = try daemon.address("command")
      let listener = try daemon.listener("command")
      let first = try session(address)
      let orders = try fillChannel(daemon, of: first)
      let clients = try (0..<20).map { _ in try Client(address) }
      let drain = try daemon.begat("drain", "command")
      #expect(drain.status == .exited(code: 0))
      try Signal(rawValue: SIGCONT).send(to: listener)
      for client in clients {
        _ = try client.receive(until: Expected.prompt)
        client.hangUp()
      }
      #expect(first.awaitEnd())
      #expect(try daemon.begat("drain", "command", "--wait").status == .exited(code: 0))
      try orders.awaitEnd()
      #expect(!orders.errors.text.contains("cannot be told"), "\(orders.errors.text)")
      #expect(daemon.log.lines(containing: "does not read").isEmpty)
    }
  }

  @Test func aListenerThatNeverReadsIsRetiredByASignal() throws {
    try withDaemon(Self.configuration) { daemon in
      let listener = try daemon.listener("command")
      let first = try session(try daemon.address("command"))
      let orders = try fillChannel(daemon, of: first)
      try daemon.rewrite(SampleConfiguration.service("command", "max-connections = 7"))
      try daemon.program.send(.hangUp)
      try daemon.log.awaitLines(
        containing: "listener \(listener) does not read; retired by a signal", within: .seconds(10))
      try orders.awaitEnd()
      #expect(orders.errors.text.contains("a listener does not answer"))
      try Signal(rawValue: SIGCONT).send(to: listener)
      #expect(eventually { daemon.reloads.count == 1 })
      _ = try session(try daemon.address("command"))
    }
  }
}
