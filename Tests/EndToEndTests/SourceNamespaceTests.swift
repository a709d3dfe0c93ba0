import Testing
@_spi(Begat) import UnixCore

/// Sources with IPv6 addresses, each test in a network of its own.
@Suite(.serialized, .timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "only root can make networks"))
struct SourceNamespaceTests {
  /// Runs a test in a network where 2001:db8::/32 is this machine.
  private func inNetwork(_ lines: String..., body: (Daemon) throws -> Void) throws {
    let network = try NetworkNamespace()
    try network.own("2001:db8::/32")
    try network.enter {
      let configuration = """
        [service.command]
        serve = "command"
        listen-stream = ["[2001:db8:ffff::1]:0", "127.0.0.1:0"]
        free-bind = true

        """
      try withDaemon(configuration + lines.joined(separator: "\n"), body)
    }
  }

  private func address(_ network: Int, _ host: Int) -> String {
    "2001:db8:0:\(String(network, radix: 16))::\(String(host, radix: 16))"
  }

  @Test func aThousandAddressesOfANetworkAreOneSource() throws {
    try inNetwork { daemon in
      let server = try daemon.address("command", "[")
      let network = try Crowd(1000, at: server) { address(1, $0 + 1) }
      #expect(network.served.count == 32 && network.refused.count == 968)
      #expect(try Crowd(40, at: server) { address(2, $0 + 1) }.served.count == 32)
      network.hangUp()
      _ = try daemon.awaitConnections(0, of: "command")
      #expect(try Crowd(40, at: server) { address(1, $0 + 5000) }.served.count == 32)
      let line = try #require(daemon.log.lines(containing: "clients are refused").first)
      #expect(line.contains(/max-connections-per-source \(32\) reached by 2001:db8:0:1::[0-9a-f]+: clients/), "\(line)")
    }
  }

  @Test func aLongerPrefixTellsThemApart() throws {
    try inNetwork("source-prefix = { ipv6 = 128 }", "max-connections-per-source = 2") { daemon in
      let server = try daemon.address("command", "[")
      #expect(try Crowd(100, at: server) { address(1, $0 + 1) }.served.count == 100)
      #expect(try Crowd(5, at: server, from: address(1, 1000)).served.count == 2)
    }
  }

  @Test func aShorterPrefixTakesThemTogether() throws {
    try inNetwork("source-prefix = { ipv6 = 48 }", "max-connections-per-source = 2") { daemon in
      let server = try daemon.address("command", "[")
      #expect(try Crowd(10, at: server) { address($0, 1) }.served.count == 2)
      #expect(try Crowd(2, at: server) { "2001:db8:1::\($0 + 1)" }.served.count == 2)
    }
  }

  @Test func networksAreAllowedAndDenied() throws {
    try inNetwork("allow = [\"2001:db8:0:5::/64\"]", "deny = [\"2001:db8::/32\", \"2001:db8:0:5::7\"]") { daemon in
      let server = try daemon.address("command", "[")
      for (source, isServed) in [(address(5, 1), true), (address(5, 7), false), (address(4, 1), false)] {
        #expect(try Crowd(1, at: server, from: source).served.count == (isServed ? 1 : 0), "\(source)")
        let check = try RunningProgram.run(
          try Programs.begat(),
          ["check", "--config", daemon.directory.path("begatd.toml"), "--from", source, "command"])
        #expect(check.status == .exited(code: isServed ? 0 : 1), "\(source)")
      }
    }
  }

  /// Sources enough to fill what is remembered: 65,536.  Those of connections are fewer, because each takes a fork.
  @Test func aHundredThousandSourcesAreServedInLittleMemory() throws {
    let network = try NetworkNamespace()
    try network.own("2001:db8::/32")
    try network.enter {
      // Tokens so slow that nobody can be forgotten before there is need.
      let configuration = """
        [service.time]
        serve = "time"
        listen-stream = ["[2001:db8:ffff::1]:0"]
        listen-datagram = ["[2001:db8:ffff::1]:0"]
        free-bind = true
        log = "problems"
        rate = "1000000/s"
        rate-per-source = "2/d burst 2"

        """
      try withDaemon(configuration) { daemon in
        let program = try RunningProgram.run(
          try Programs.tool("python3"),
          ["-c", Self.manySources] + daemon.served.map { target($0.address)[1] }, within: .seconds(100))
        #expect(program.output.text == "20000 connections, 100000 datagrams\n", "\(program.errors.text)")
        let listener = try daemon.listener("time")
        let resident = ProcessFacts.statusLine("VmRSS", of: listener)?.split(separator: " ").first.flatMap { Int($0) }
        #expect(try #require(resident) < 32 * 1024, "KiB")
        // A newcomer, and one of the last, who has a token left.
        #expect(Expected.isTime(try ask(daemon.address("time"), from: "2001:db8:fffe::1")))
        #expect(Expected.isTime(try ask(daemon.address("time"), from: "2001:db8:1:4e1f::1")))
        #expect(try ask(daemon.address("time"), from: "2001:db8:1:4e1f::1") == [])
        _ = try daemon.awaitConnections(0, of: "time")
      }
    }
  }

  private static let manySources = """
    import socket, struct, sys
    server, stream, datagram = "2001:db8:ffff::1", int(sys.argv[1]), int(sys.argv[2])
    connections = datagrams = 0
    for number in range(20000):
        with socket.socket(socket.AF_INET6) as client:
            client.settimeout(10)
            client.bind((f"2001:db8:1:{number:x}::1", 0))
            client.connect((server, stream))
            if len(client.recv(100)) == 4: connections += 1
            # Ports of this side are not used up by waiting.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.bind(("::", 0))
        for number in range(100000):
            source = socket.inet_pton(socket.AF_INET6, f"2001:db8:{2 + number // 65536}:{number % 65536:x}::1")
            control = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, source + struct.pack("I", 0))]
            client.sendmsg([b"x"], control, 0, (server, datagram))
            if len(client.recv(100)) == 4: datagrams += 1
    print(f"{connections} connections, {datagrams} datagrams")
    """
}
