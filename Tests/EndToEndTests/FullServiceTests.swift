import Testing
@_spi(Begat) import UnixCore

/// A service at its limit, with clients that come to each of its sockets as fast as they are served.
@Suite(.timeLimit(.minutes(5)))
struct FullServiceTests {
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

  static let cases = [
    Case(testDescription: "one place", lines: "serve = \"echo\"\nmax-connections = 1", clients: 8),
    // As many as are accepted at one socket in a turn.
    Case(testDescription: "a turn's places", lines: "serve = \"echo\"\nmax-connections = 32", clients: 64),
    Case(
      testDescription: "programs that accept",
      lines: "exec = \(SampleConfiguration.list(["/usr/bin/python3", "-c", onceEcho]))\nwait = true\n"
        + "rate = \"10/s burst 1\"", clients: 2),
  ]

  @Test(arguments: cases) func servesItsSocketsInTurn(_ service: Case) throws {
    let directory = try TemporaryDirectory()
    let perSource = service.lines.contains("wait") ? "" : "max-connections-per-source = 128\n"
    let daemon = try Daemon(
      "[service.full]\n\(service.lines)\n\(perSource)log = \"none\"\n"
        + "listen-stream = [\"127.0.0.1:0\", \"\(directory.path("socket"))\"]\n", in: directory)
    let addresses = try ["127", "/"].map { try daemon.address("full", $0) }
    // Each begins when as many as there are clients were served at its own socket.
    let crowds = try addresses.map { try EchoClients(service.clients, at: $0) }
    for crowd in crowds { #expect(try crowd.stop().lost.isEmpty) }
    try daemon.stop()
  }
}
