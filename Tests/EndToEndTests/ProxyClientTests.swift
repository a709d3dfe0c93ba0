import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Clients that come through a proxy: rules, limits and variables are about them, not about the proxy.
@Suite(.timeLimit(.minutes(30)))
struct ProxyClientTests {
  private static let fromHere = "proxy-from = [\"127.0.0.1\"]"

  private func refused(_ daemon: Daemon, _ service: String, _ reason: String) throws -> Double? {
    MetricSamples(try daemon.begat("status", "--prometheus").output.text)[
      "begat_connections_refused_total{service=\"\(service)\",reason=\"\(reason)\"}"]
  }

  private func client(_ daemon: Daemon, _ source: String, _ payload: String = "x") throws -> Client {
    try Client(try daemon.address("echo"), behind: ProxyHead.line(source) + Array(payload.utf8))
  }

  private func isServed(_ client: Client) throws -> Bool { try client.receive(count: 1) == Array("x".utf8) }

  // MARK: Trust

  /// Not even its header is read.
  @Test func othersAreRefusedWhateverTheySay() throws {
    let service = SampleConfiguration.service("echo", Self.fromHere, "refusal = \"Use the balancer.\"")
    try withDaemon(service) { daemon in
      let others: [[UInt8]] = [ProxyHead.line("192.0.2.7"), ProxyHead.binary("192.0.2.7"), ProxyHead.local]
      for header in others {
        let other = try Client(try daemon.address("echo"), behind: header, from: "127.0.0.2")
        #expect(other.awaitEnd())
      }
      let line = try daemon.log.awaitLines(containing: "127.0.0.2 is not in proxy-from: clients are refused")
      #expect(line.count == 1)
      #expect(eventually { (try? refused(daemon, "echo", "proxy-from")) == 3 })
      #expect(try isServed(client(daemon, "192.0.2.7")))
    }
  }

  @Test func aUsersProxyIsKnownByTheUser() throws {
    func configuration(_ directory: TemporaryDirectory) -> String {
      """
      [service.echo]
      serve = "echo"
      listen-stream = ["\(directory.path("echo.sock"))"]
      proxy-from = ["unix:\(Machine.isRoot ? 0 : geteuid())"]
      max-connections-per-source = 1

      """
    }
    try withDaemon(configuration) { daemon in
      let path = try daemon.address("echo", "/")
      // In pieces, as a Unix socket may bring it; sources are those of the network.
      let first = try Client(path)
      for byte in ProxyHead.binary("192.0.2.7") { try first.send([byte]) }
      try first.send("x")
      #expect(try isServed(first))
      let second = try Client(path, behind: ProxyHead.line("192.0.2.8") + Array("x".utf8))
      #expect(try isServed(second))
      let third = try Client(path, behind: ProxyHead.line("192.0.2.8") + Array("x".utf8))
      #expect(third.awaitEnd())
      try daemon.log.awaitLines(containing: "max-connections-per-source (1) reached by 192.0.2.8")
      guard Machine.isRoot else { return }
      let other = try CrowdOfUser(1, at: path, user: 65534)
      #expect(other.served == 0)
      try other.hangUp()
      try daemon.log.awaitLines(containing: "user 65534 is not in proxy-from")
    }
  }

  // MARK: Limits

  @Test func limitsOfSourcesAreThoseOfClients() throws {
    let service = SampleConfiguration.service(
      "echo", Self.fromHere, "max-connections-per-source = 2", "refusal = \"Too many.\"")
    try withDaemon(service) { daemon in
      var served: [Client] = []
      for source in ["192.0.2.7", "192.0.2.8", "2001:db8::7"] {
        for _ in 0..<2 {
          served.append(try client(daemon, source))
          #expect(try isServed(served[served.count - 1]))
        }
        // Its own bytes were not read, so that the line may be lost with the connection.
        let third = try Client(try daemon.address("echo"), behind: ProxyHead.line(source))
        #expect(try third.receiveText() == "Too many.\r\n")
      }
      #expect(try refused(daemon, "echo", "max-connections-per-source") == 3)
      // A process for each that was served, and none for the others.
      #expect(try daemon.connections("echo").count == 6)
      try daemon.log.awaitLines(containing: "max-connections-per-source (2) reached by 192.0.2.7: clients are refused")
      for client in served { client.hangUp() }
      try daemon.log.awaitLines(containing: "max-connections-per-source: 3 connections refused")
      #expect(daemon.log.lines(containing: " pid ").count == 6, "\(daemon.log.text)")
    }
  }

  @Test func rulesAreAboutClients() throws {
    let service = SampleConfiguration.service(
      "echo", Self.fromHere, "allow = [\"192.0.2.0/24\", \"2001:db8::/32\"]", "deny = [\"192.0.2.9\"]")
    try withDaemon(service) { daemon in
      #expect(try isServed(client(daemon, "192.0.2.7")))
      #expect(try isServed(client(daemon, "::ffff:192.0.2.8")))
      for source in ["192.0.2.9", "::ffff:192.0.2.9", "127.0.0.1", "198.51.100.7"] {
        #expect(try client(daemon, source).awaitEnd(), "\(source)")
      }
      #expect(try daemon.begat("deny", "192.0.2.7").status == .exited(code: 0))
      #expect(try client(daemon, "192.0.2.7").awaitEnd())
      try daemon.log.awaitLines(containing: "192.0.2.7 is banned by begat deny")
    }
  }

  /// A balancer that is refused would take the machine for dead.
  @Test func theProxysOwnConnectionsAreServedAsLongAsThereIsRoom() throws {
    let service = SampleConfiguration.service(
      "echo", Self.fromHere, "allow = [\"192.0.2.0/24\"]", "max-connections-per-source = 1", "max-connections = 4",
      "rate-per-source = \"1/h burst 1\"")
    try withDaemon(service) { daemon in
      for _ in 0..<3 {
        let checks = try (0..<4).map { _ in
          try Client(try daemon.address("echo"), behind: ProxyHead.local + Array("x".utf8))
        }
        for check in checks { #expect(try isServed(check)) }
        let late = try Client(try daemon.address("echo"), behind: ProxyHead.local + Array("x".utf8))
        #expect(!late.hears(within: .milliseconds(100)))
        for check in checks { check.hangUp() }
        #expect(try isServed(late))
        late.hangUp()
        _ = try daemon.awaitConnections(0, of: "echo")
      }
      #expect(daemon.log.lines(containing: " pid ") == [])
      let record = try client(daemon, "192.0.2.7")
      #expect(try isServed(record))
      record.hangUp()
      try daemon.log.awaitLines(containing: " for 192.0.2.7:51312")
      #expect(daemon.log.lines(containing: " pid ").count == 1)
    }
  }

  // MARK: Programs

  private static let extensions: [(UInt8, [UInt8])] = {
    var tls: [UInt8] = [0x03, 0, 0, 0, 0]
    for (type, text) in [(0x21, "TLSv1.3"), (0x22, "alice"), (0x23, "TLS_AES_128_GCM_SHA256")] as [(UInt8, String)] {
      tls += ProxyHead.part(type, Array(text.utf8))
    }
    let endpoint = "\u{1}vpce-08d2bf15fac5001c9"
    return [
      (0x05, [0xde, 0xad, 0xbe, 0xef]), (0x02, Array("www.example.org".utf8)), (0x01, Array("h2".utf8)), (0x20, tls),
      (0xea, Array(endpoint.utf8)), (0xee, [1, 4, 3, 2, 1]), (0xe0, [0, 0, 0, 0, 0, 0, 1, 0]),
    ]
  }()
  private static let told = [
    "PROXY_UNIQUE_ID=deadbeef", "SSL_TLS_SNI_SERVERNAME=www.example.org", "SSL_ALPN=h2", "SSL_PROTOCOL=TLSv1.3",
    "SSL_CIPHER=TLS_AES_128_GCM_SHA256", "SSL_PEER_CERT_CN=alice", "SSL_CLIENT_VERIFY=SUCCESS",
    "AWS_VPC_ENDPOINT_ID=vpce-08d2bf15fac5001c9", "AZURE_PRIVATE_ENDPOINT_LINKID=16909060",
    "GCP_PSC_CONNECTION_ID=256",
  ]

  private static func environment(_ source: String, _ proxy: Client, _ more: [String] = []) throws -> [String] {
    let own = try proxy.address().split(separator: ":")
    return more + [
      "PATH=/usr/local/bin:/usr/bin:/bin", "PROTO=TCP", "TCPLOCALIP=198.51.100.1", "TCPLOCALPORT=7",
      "TCPREMOTEIP=\(source)", "TCPREMOTEPORT=51312", "TCPCONNNUM=1", "REMOTE_ADDR=\(source)", "REMOTE_PORT=51312",
      "PROXY_ADDR=\(own[0])", "PROXY_PORT=\(own[1])",
    ]
  }

  /// A relay waits for the end of its client.
  private func variables(_ client: Client) throws -> [String] {
    let text = try client.receiveText()
    client.hangUp()
    return text.split(separator: "\n").map(String.init).sorted()
  }

  @Test(arguments: [false, true])
  func programsFindTheClientInTheirVariables(relayed: Bool) throws {
    let program = SampleConfiguration.program("env", ["/usr/bin/env"], Self.fromHere, "relay = \(relayed)")
    try withDaemon(program) { daemon in
      let address = try daemon.address("env")
      // The next client finds nothing of the one before it.
      for _ in 0..<2 {
        let told = try Client(address, behind: ProxyHead.binary("192.0.2.7", extensions: Self.extensions))
        #expect(try variables(told) == Self.environment("192.0.2.7", told, Self.told).sorted())
        let plain = try Client(address, behind: ProxyHead.line("192.0.2.8"))
        #expect(try variables(plain) == Self.environment("192.0.2.8", plain).sorted())
        _ = try daemon.awaitConnections(0, of: "env")
      }
      let local = try Client(address, behind: ProxyHead.local)
      let own = try local.address().split(separator: ":")
      let found = try variables(local)
      #expect(found.contains("TCPREMOTEPORT=\(own[1])") && !found.contains { $0.hasPrefix("PROXY_") }, "\(found)")
    }
  }

  @Test(arguments: [false, true])
  func hostileExtensionsReachNoProgram(relayed: Bool) throws {
    let program = SampleConfiguration.program("env", ["/usr/bin/env"], Self.fromHere, "relay = \(relayed)")
    try withDaemon(program) { daemon in
      for hostile in ["a\nPATH=/tmp", "() { :; }", "$(id)", "a b", "a\u{0}b", "-rf", ""] {
        let value = Array(hostile.utf8)
        let extensions: [(UInt8, [UInt8])] = [(0x02, value), (0x01, value), (0xea, [1] + value), (0x99, value)]
        let client = try Client(
          try daemon.address("env"), behind: ProxyHead.binary("192.0.2.7", extensions: extensions))
        #expect(try variables(client) == Self.environment("192.0.2.7", client).sorted(), "\(escaped(value))")
        _ = try daemon.awaitConnections(0, of: "env")
      }
    }
  }

  @Test func aListenerAloneTakesTheSameOptions() throws {
    let listener = try StandaloneListener(
      "echo",
      [
        "--listen-stream", "127.0.0.1:0", "--proxy-from", "127.0.0.1", "--proxy-version", "2", "--proxy-timeout", "2s",
      ])
    let good = try Client(listener.address, behind: ProxyHead.binary("192.0.2.7") + [7])
    #expect(try good.receive(count: 1) == [7])
    #expect(try Client(listener.address, behind: ProxyHead.line("192.0.2.7")).awaitEnd())
    #expect(try Client(listener.address, behind: ProxyHead.binary("192.0.2.7"), from: "127.0.0.3").awaitEnd())
    good.hangUp()
    try listener.program.errors.awaitLines(containing: " for 192.0.2.7:51312")
    try listener.stop()
  }
}
