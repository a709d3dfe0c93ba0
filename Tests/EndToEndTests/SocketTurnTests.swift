import Testing
@_spi(Begat) import UnixCore

/// A service at its limit, with many clients at one of its sockets and one at another.
@Suite(.timeLimit(.minutes(30)))
struct SocketTurnTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let lines: String
    let clients: Int
  }

  /// Takes one client at its socket, gives it its bytes back, and ends.
  private static let onceEcho = """
    import socket
    client, _ = socket.socket(fileno=0).accept()
    while part := client.recv(1000): client.sendall(part)
    """

  // Each further client has to wait, long enough to see in which order they are served.
  static let cases = [
    Case(testDescription: "one at a time", lines: "serve = \"echo\"\nrate = \"20/s burst 1\"", clients: 10),
    // As many as are accepted at one socket in a turn.
    Case(testDescription: "a whole turn", lines: "serve = \"echo\"\nrate = \"20/s burst 32\"", clients: 42),
    Case(
      testDescription: "programs that accept",
      lines: "exec = \(SampleConfiguration.list(["/usr/bin/python3", "-c", onceEcho]))\nwait = true\n"
        + "rate = \"10/s burst 1\"", clients: 10),
  ]

  @Test(arguments: cases) func servesItsSocketsInTurn(_ service: Case) throws {
    let directory = try TemporaryDirectory()
    let perSource = service.lines.contains("wait") ? "" : "max-connections-per-source = 128\n"
    let daemon = try Daemon(
      "[service.busy]\n\(service.lines)\n\(perSource)log = \"none\"\n"
        + "listen-stream = [\"127.0.0.1:0\", \"\(directory.path("socket"))\"]\n", in: directory)
    let listener = try daemon.listener("busy")
    // All of them wait when it goes on.
    try Signal.stop.send(to: listener)
    let crowd = try (0..<service.clients).map { _ in try client(of: try daemon.address("busy", "127")) }
    let other = try client(of: try daemon.address("busy", "/"))
    try Signal.continue.send(to: listener)
    #expect(try other.receiveAll() == [120])
    let served = crowd.count { $0.hears(within: .zero) }
    #expect(served < crowd.count, "the other socket's client had to wait for all of them")
    for client in crowd { #expect(try client.receiveAll() == [120]) }
    try daemon.stop()
  }

  private func client(of address: String) throws -> Client {
    let client = try Client(address)
    try client.send("x")
    try client.endSending()
    return client
  }
}
