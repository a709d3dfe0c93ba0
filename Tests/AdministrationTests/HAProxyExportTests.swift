import Administration
import TestSupport
import Testing

/// The configuration that `begat export haproxy` makes, and its warnings.
@Suite struct HAProxyExportTests {
  private static let servers = "m1=192.0.2.11,m2=2001:db8::12"

  private func export(
    _ text: String, servers: String = servers, bind: [String] = [], agentInterval: Duration = .milliseconds(500)
  ) throws -> ExportCommand.Outcome {
    let directory = try TemporaryDirectory()
    try directory.write(text.utf8, to: "begatd.toml")
    let options = BalancerOptions(
      servers: try BalancedServer.list(parsing: servers), bindAddresses: bind, agentInterval: agentInterval)
    return ExportCommand.haproxy(file: directory["begatd.toml"], options)
  }

  private static let time = """
    [service.time]
    serve = "time"
    listen-stream = ["37"]

    """

  /// The lines of a section, without their indentation.
  private func section(_ head: String, of text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let first = lines.firstIndex(of: head) else { return [] }
    return lines[(first + 1)...].prefix { !$0.isEmpty }.map { String($0.drop { $0 == " " }) }
  }

  @Test("gives each service a frontend and a backend")
  func sections() throws {
    let export = try export(Self.time)
    #expect(export.exitStatus == 0)
    #expect(
      section("frontend begat-time from begat", of: export.output) == [
        "bind 0.0.0.0:37", "bind [::]:37 v6only", "timeout client 610s", "default_backend begat-time",
      ])
    let backend = section("backend begat-time from begat", of: export.output)
    #expect(backend.first == "balance hash src,ipmask(32,64)")
    #expect(backend.contains("timeout server 610s") && backend.contains("timeout queue 610s"))
    #expect(
      backend.suffix(2) == [
        "server m1 192.0.2.11:37 check port 37", "server m2 [2001:db8::12]:37 check port 37",
      ])
  }

  @Test(
    "keeps the limits of a service",
    arguments: [
      ("max-connections = 77", "default-server maxconn 77"),
      ("source-prefix.ipv4 = 24", "balance hash src,ipmask(24,64)"),
      ("source-prefix.ipv6 = 56", "balance hash src,ipmask(32,56)"),
      ("idle-timeout = \"30s\"", "timeout server 40s"),
      ("idle-timeout = \"30s\"\nfirst-byte-timeout = \"1m\"", "timeout server 70s"),
      ("idle-timeout = \"none\"\nmax-duration = \"1h\"", "timeout server 3610s"),
      ("idle-timeout = \"none\"", "timeout server 24d"), ("idle-timeout = \"30d\"", "timeout server 24d"),
    ])
  func limits(_ key: String, _ line: String) throws {
    let backend = section("backend begat-time from begat", of: try export(Self.time + key + "\n").output)
    #expect(backend.contains(line), "\(backend)")
  }

  @Test("lets begat refuse clients over its limit if it is to refuse them")
  func refusing() throws {
    let export = try export(Self.time + "when-full = \"refuse\"\n")
    #expect(!export.output.contains("maxconn"))
  }

  @Test("sets no idle timeout for a program for which begat has none")
  func program() throws {
    let text = "[service.p]\nexec = [\"/bin/cat\"]\nlisten-stream = [\"99\"]\n"
    #expect(section("frontend begat-p from begat", of: try export(text).output).contains("timeout client 24d"))
    let limited = try export(text + "max-duration = \"5m\"\n")
    #expect(section("frontend begat-p from begat", of: limited.output).contains("timeout client 310s"))
    let relayed = try export(text + "relay = true\n")
    #expect(section("frontend begat-p from begat", of: relayed.output).contains("timeout client 610s"))
  }

  @Test(
    "names the services that are left out, with the reason",
    arguments: [
      ("serve = \"echo\"\nlisten-stream = [\"/run/x\"]", "no internet address"),
      ("serve = \"echo\"\nlisten-stream = [\"fd:x\"]", "no internet address"),
      ("serve = \"echo\"\nlisten-stream = [\"127.0.0.1:7\", \"[::1]:7\"]", "loopback"),
      ("serve = \"time\"\nlisten-datagram = [\"3737\"]", "only for datagrams"),
      ("serve = \"echo\"\nlisten-stream = [\"0\"]", "the kernel chooses"),
      ("exec = [\"/bin/cat\"]\nwait = true\nlisten-stream = [\"7\"]", "accepts clients itself"),
      ("serve = \"status\"\nlisten-stream = [\"9345\"]", "ask each machine itself"),
    ])
  func leftOut(_ service: String, _ reason: String) throws {
    let alone = try export("[service.x]\n\(service)\n")
    #expect(alone.exitStatus == 1 && alone.output.isEmpty)
    #expect(alone.complaints.first?.contains(reason) == true, "\(alone.complaints)")
    let beside = try export(Self.time + "[service.x]\n\(service)\n")
    #expect(beside.exitStatus == 0)
    let comments = beside.output.split(separator: "\n").filter { $0.hasPrefix("#   x: ") }
    #expect(comments.count == 1 && comments[0].contains(reason), "\(beside.output)")
    #expect(!beside.output.contains("begat-x"))
  }

  @Test("leaves disabled services out without a word")
  func disabled() throws {
    let export = try export(Self.time + "[service.x]\nenabled = false\nserve = \"echo\"\nlisten-stream = [\"7\"]\n")
    #expect(!export.output.contains("begat-x") && !export.output.contains("# x"))
  }

  @Test("exports the connections of a service with datagrams")
  func datagrams() throws {
    let export = try export(Self.time + "listen-datagram = [\"37\"]\n")
    #expect(export.output.contains("#   time (datagrams): ") && export.output.contains("frontend begat-time"))
  }

  @Test("leaves out servers in whose family a service does not listen")
  func families() throws {
    let text = "[service.time]\nserve = \"time\"\nlisten-stream = [\"192.0.2.1:37\", \"0.0.0.0:3737\"]\n"
    let one = try export(text)
    #expect(
      section("frontend begat-time from begat", of: one.output).prefix(2) == ["bind 0.0.0.0:37", "bind 0.0.0.0:3737"])
    #expect(one.output.contains("server m1 ") && !one.output.contains("server m2 "))
    #expect(one.complaints.contains { $0.contains("left out for m2: it does not listen on IPv6") }, "\(one.complaints)")
    let none = try export(text, servers: "m2=2001:db8::12")
    #expect(none.exitStatus == 1 && none.complaints[0].contains("in the family of any"), "\(none.complaints)")
    #expect(try export(text, servers: "m1=host.example.org").output.contains("server m1 host.example.org:37 "))
  }

  @Test(
    "gives a port to one service alone", arguments: [("192.0.2.1:37", "192.0.2.2:37"), ("0.0.0.0:37", "[::]:37")])
  func sharedPort(_ one: String, _ other: String) throws {
    let export = try export(
      """
      [service.one]
      serve = "time"
      listen-stream = ["\(one)"]
      [service.other]
      serve = "time"
      listen-stream = ["\(other)"]
      """)
    #expect(export.output.contains("#   other: its port 37 is also that of one"), "\(export)")
    #expect(export.output.contains("frontend begat-one from") && !export.output.contains("begat-other"))
  }

  @Test("connects to the port of the server's family")
  func portsOfFamilies() throws {
    let export = try export(
      "[service.time]\nserve = \"time\"\nlisten-stream = [\"0.0.0.0:37\", \"[::]:3737\"]\n", bind: ["[2001:db8::1]"])
    #expect(
      section("frontend begat-time from begat", of: export.output).prefix(2) == [
        "bind [2001:db8::1]:37", "bind [2001:db8::1]:3737",
      ])
    #expect(export.output.contains("server m1 192.0.2.11:37 check port 37"))
    #expect(export.output.contains("server m2 [2001:db8::12]:3737 check port 3737"))
  }

  @Test(
    "divides the points of the ring among many servers",
    arguments: [(1, 100), (16, 100), (20, 80), (160, 10), (250, 10)])
  func weights(_ count: Int, _ weight: Int) throws {
    let servers = (1...count).map { "m\($0)=192.0.2.\($0)" }.joined(separator: ",")
    #expect(try export(Self.time, servers: servers).output.contains("default-server weight \(weight) "))
  }

  @Test("warns of a service that would see the balancer as its only client")
  func withoutProxyFrom() throws {
    let export = try export(Self.time + "max-connections-per-source = 31\n")
    let warning = try #require(export.complaints.first { $0.contains("service.time") })
    #expect(warning.hasPrefix("warning: ") && warning.contains(":1:") && warning.contains("(31)"), "\(warning)")
    #expect(warning.contains("proxy-from = ["), "\(warning)")
    #expect(export.output.contains("# No proxy-from: begat does not learn the clients' addresses."))
    #expect(!export.output.contains("send-proxy"))
  }

  private static let agent = """
    [daemon]
    announce-time = "3s"
    [service.agent]
    serve = "haproxy-agent"
    listen-stream = ["9346"]

    """

  @Test(
    "sends clients' addresses where begat expects them",
    arguments: [("", "send-proxy-v2"), ("proxy-version = 2\n", "send-proxy-v2"), ("proxy-version = 1\n", "send-proxy")])
  func proxied(_ version: String, _ option: String) throws {
    let export = try export(Self.agent + Self.time + "proxy-from = [\"192.0.2.1\"]\n" + version)
    let backend = section("backend begat-time from begat", of: export.output)
    #expect(backend.contains("default-server \(option) agent-send \"time\\n\" maxconn 256"), "\(backend)")
    #expect(export.complaints == [])
  }

  @Test("lets HAProxy ask the agent for each service")
  func agentChecks() throws {
    let export = try export(Self.agent + Self.time, agentInterval: .seconds(1))
    #expect(export.output.contains(" agent-check agent-port 9346 agent-inter 1s\n"))
    #expect(!export.output.contains("begat-agent"))
  }

  @Test(
    "warns of an agent that does not help",
    arguments: [
      ("\"3s\"", "\"1900ms\"", "announce-time is 1900ms"), ("\"9346\"", "\"127.0.0.1:9346\"", "does not reach it"),
      ("[\"9346\"]", "[\"0.0.0.0:9346\"]", "no agent check for m2: it does not listen on IPv6"),
      (
        "[service.agent]", "[service.above]\nserve = \"haproxy-agent\"\nlisten-stream = [\"9347\"]\n[service.agent]",
        "HAProxy asks above instead"
      ),
      ("\"haproxy-agent\"", "\"echo\"", "no service has serve = \"haproxy-agent\""),
    ])
  func uselessAgent(_ word: String, _ replacement: String, _ warning: String) throws {
    let proxied = Self.time + "proxy-from = [\"192.0.2.1\"]\n"
    let export = try export(Self.agent.replacing(word, with: replacement) + proxied)
    #expect(export.complaints.contains { $0.contains(warning) }, "\(export.complaints)")
  }

  @Test("asks each server's agent in the family of the server's address")
  func agentsOfFamilies() throws {
    let one = try export(Self.agent.replacing("\"9346\"", with: "\"[::]:9346\"") + Self.time)
    #expect(one.output.contains(" agent-check agent-port 9346 agent-inter 500ms\n"))
    #expect(one.output.contains("server m1 192.0.2.11:37 check port 37 no-agent-check\n"))
    #expect(one.output.contains("server m2 [2001:db8::12]:37 check port 37\n"))
    let both = try export(Self.agent.replacing("\"9346\"", with: "\"0.0.0.0:9346\", \"[::]:9347\"") + Self.time)
    #expect(both.output.contains("server m1 192.0.2.11:37 check port 37\n"))
    #expect(both.output.contains("server m2 [2001:db8::12]:37 check port 37 agent-port 9347\n"))
    let none = try export(
      Self.agent.replacing("\"9346\"", with: "\"[::]:9346\"") + Self.time, servers: "m1=192.0.2.11")
    #expect(!none.output.contains("agent-"), "\(none.output)")
    #expect(none.complaints.contains { $0.contains("no agent check for m1: it does not listen on IPv4") })
  }

  @Test("asks the agent without a PROXY header, whatever the defaults are")
  func agentBesideProxies() throws {
    let export = try export("[defaults]\nproxy-from = [\"192.0.2.1\"]\n" + Self.agent + Self.time)
    #expect(export.complaints == [] && export.output.contains("send-proxy-v2 agent-send"))
  }

  @Test("names the announce-time that an interval of questions needs")
  func announceTime() throws {
    let proxied = Self.time + "proxy-from = [\"192.0.2.1\"]\n"
    let short = try export(Self.agent + proxied, agentInterval: .seconds(2))
    #expect(short.complaints.count == 1 && short.complaints[0].contains("set announce-time = \"5s\" or more"))
    #expect(try export(Self.agent.replacing("3s", with: "5s") + proxied, agentInterval: .seconds(2)).complaints == [])
  }

  @Test("shows the problems of a configuration with which begatd would not start")
  func problems() throws {
    let export = try export("[service.time]\nserve = \"tine\"\nlisten-stream = [\"37\"]\n")
    #expect(export.exitStatus == 78 && export.output.isEmpty && export.complaints.count == 1)
  }
}
