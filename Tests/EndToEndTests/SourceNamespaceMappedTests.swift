import Testing
@_spi(Begat) import UnixCore

/// Clients with IPv4 addresses on a socket for both families, as a service manager may pass one.
@Suite(.timeLimit(.minutes(30)))
struct SourceNamespaceMappedTests {
  /// Binds `[::]` for both families, a stream and a datagram socket, passes both, and executes its arguments.
  ///
  /// They begin at 3, where --ready-fd is otherwise.
  private static let dualStack = """
    import os, socket, sys
    os.dup2(3, 9, inheritable=True)
    sockets = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        both = socket.socket(socket.AF_INET6, kind)
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", 0))
        if kind == socket.SOCK_STREAM: both.listen(100)
        sockets.append(both)
    numbers = [os.dup(both.fileno()) for both in sockets]
    for place, number in enumerate(numbers): os.dup2(number, 3 + place, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="stream:datagram")
    command = sys.argv[1:]
    command[command.index("--ready-fd") + 1] = "9"
    os.execv(command[0], command)
    """

  private func withDualStack(_ service: String, _ lines: String..., body: (Daemon) throws -> Void) throws {
    let configuration = """
      [service.\(service)]
      serve = "\(service)"
      listen-stream = ["fd:stream", "127.0.0.1:0"]

      """
    try withDaemon(
      configuration + lines.joined(separator: "\n"), wrapper: [try Programs.tool("python3"), "-c", Self.dualStack], body
    )
  }

  private func port(_ daemon: Daemon, _ service: String, datagram: Bool = false) throws -> String {
    String(try daemon.address(service, "[::]", datagram: datagram).split(separator: ":").last!)
  }

  @Test func rulesAndTheLogSeeIPv4Addresses() throws {
    try withDualStack(
      "time", "listen-datagram = [\"fd:datagram\"]", "deny = [\"127.0.0.2\", \"::1\"]"
    ) { daemon in
      let stream = try port(daemon, "time")
      #expect(try ask("127.0.0.1:\(stream)", from: "127.0.0.2") == [])
      #expect(try ask("[::1]:\(stream)") == [])
      #expect(Expected.isTime(try ask("127.0.0.1:\(stream)", from: "127.0.0.3")))
      try daemon.log.awaitLines(containing: "for 127.0.0.3:")

      let datagram = "127.0.0.1:\(try port(daemon, "time", datagram: true))"
      let denied = try DatagramClient(datagram, from: "127.0.0.2:0")
      try denied.send([0])
      #expect(Expected.isTime(try DatagramClient.ask(datagram, from: "127.0.0.3:0")))
      #expect(try denied.receive(within: .zero) == nil)

      try daemon.log.awaitLines(containing: "127.0.0.2 is not allowed: clients are refused")
      try daemon.log.awaitLines(containing: "127.0.0.2 is not allowed: datagrams are not answered")
      #expect(!daemon.log.text.contains("ffff"))
    }
  }

  @Test func limitsCountBothSocketsTogether() throws {
    try withDualStack("command", "max-connections-per-source = 4") { daemon in
      let addresses = [try daemon.address("command", "127."), "127.0.0.1:\(try port(daemon, "command"))"]
      let first = try Crowd(3, at: addresses[0], from: "127.0.0.2")
      let second = try Crowd(3, at: addresses[1], from: "127.0.0.2")
      #expect(first.served.count == 3 && second.served.count == 1)
      // Sources of the one family are not one, as addresses in a /64 would be.
      let others = try Crowd(10, at: addresses[1]) { "127.0.13.\($0 + 1)" }
      #expect(others.served.count == 10)
      let titles = try daemon.awaitConnections(14, of: "command").map(ProcessFacts.title)
      #expect(!titles.contains { $0.contains("ffff") })
      _ = (first, second)
    }
  }

  @Test func helloGreetsByIPv4Address() throws {
    try withDualStack("hello", "resolve-names = false") { daemon in
      let greeting = try ask("127.0.0.1:\(try port(daemon, "hello"))", from: "127.0.0.3")
      #expect(String(decoding: greeting, as: UTF8.self).hasPrefix("Hello there, 127.0.0.3, it's now "))
    }
  }

  @Test(.enabled(if: Machine.isRoot, "only root can make networks"))
  func questionsToManyAndFromOurPortsAreNotAnswered() throws {
    let (left, right) = (try NetworkNamespace(), try NetworkNamespace())
    try left.join(right)
    try left.enter {
      try withDualStack("time", "listen-datagram = [\"fd:datagram\"]", "rate-per-source = \"1000/s\"") { daemon in
        let port = try port(daemon, "time", datagram: true)
        try right.enter {
          // Multicasts of IPv4 do not come to such a socket.
          let received = try left.enter { try NetworkNamespace.datagrams("InDatagrams") }
          let client = try DatagramClient("10.99.0.255:\(port)", from: "10.99.0.2:0")
          try client.send([0])
          let answer = try DatagramClient.ask("10.99.0.1:\(port)")
          let arrived = try left.enter { try NetworkNamespace.datagrams("InDatagrams") } - received
          #expect(Expected.isTime(answer) && arrived == 2)
          #expect(try client.receive(within: .zero) == nil)
          // The server's own port, as IPv4.
          let own = try DatagramClient("10.99.0.1:\(port)", from: "10.99.0.2:\(port)")
          try own.send([0])
          #expect(Expected.isTime(try DatagramClient.ask("10.99.0.1:\(port)")))
          #expect(try own.receive(within: .zero) == nil)
        }
      }
    }
  }
}
