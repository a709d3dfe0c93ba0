import Testing

@testable import Administration

/// `--servers`, `--bind` and `--agent-interval` of `begat export haproxy`.
@Suite struct BalancedServerTests {
  @Test("reads addresses of both families and names")
  func list() throws {
    let servers = try BalancedServer.list(parsing: "m1=192.0.2.11,m-2=2001:DB8::12,m_3=[::1],m.4=host-4.example.org")
    #expect(servers.map(\.name) == ["m1", "m-2", "m_3", "m.4"])
    #expect(servers.map { "\($0.host)" } == ["192.0.2.11", "[2001:db8::12]", "[::1]", "host-4.example.org"])
  }

  @Test(
    "refuses all else",
    arguments: [
      "", ",", "m1", "m1=", "=192.0.2.1", "m1=192.0.2.1,", "m 1=192.0.2.1", "m1=192.0.2.1:37", "m1=[192.0.2.1]",
      "m1=[::1", "m1=192.0.2.256", "m1=1234", "m1=a b", "m1=x\nserver", "m1=x;y", "m1=2001:db8::g", "m1=::1%eth0",
      "m1=192.0.2.1,m1=192.0.2.2", "m\u{e9}=192.0.2.1",
    ])
  func refused(_ text: String) {
    #expect(throws: BalancerArgumentError.self) { try BalancedServer.list(parsing: text) }
  }

  @Test("refuses the addresses that HAProxy takes for the client's destination", arguments: ["0.0.0.0", "::", "[::]"])
  func unspecified(_ address: String) {
    #expect {
      try BalancedServer.list(parsing: "m1=192.0.2.1,m2=\(address)")
    } throws: {
      "\($0)".contains("HAProxy would connect to itself")
    }
  }

  @Test(
    "writes addresses of the balancer as HAProxy does",
    arguments: [("192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "[2001:db8::1]"), ("[::]", "[::]")])
  func bind(_ text: String, _ expected: String) throws {
    #expect(try BalancerOptions.bindAddress(parsing: text) == expected)
  }

  @Test(
    "refuses other addresses of the balancer", arguments: ["", "*", "localhost", "192.0.2.1:37", "[192.0.2.1]", "[::1"])
  func refusedBind(_ text: String) {
    #expect(throws: BalancerArgumentError.self) { try BalancerOptions.bindAddress(parsing: text) }
  }

  @Test("reads how often an agent is asked, up to a day")
  func agentInterval() throws {
    #expect(try BalancerOptions.agentInterval(parsing: "500ms") == .milliseconds(500))
    #expect(try BalancerOptions.agentInterval(parsing: "1d") == .seconds(86_400))
    for text in ["", "0s", "2", "1d1ms", "30d"] {
      #expect(throws: BalancerArgumentError.self, "\(text)") { try BalancerOptions.agentInterval(parsing: text) }
    }
  }
}
