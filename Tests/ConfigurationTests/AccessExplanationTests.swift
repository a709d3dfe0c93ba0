import Confinement
import Glibc
import Testing

@testable import Configuration

/// What `begat check --from` says, word for word.
@Suite struct AccessExplanationTests {
  private static let configuration = """
    [defaults]
    rate = "50/s"
    [service.hello]
    serve = "hello"
    listen-stream = ["2345", "/run/hello"]
    max-connections = 9
    source-prefix = { ipv6 = 56 }
    deny = [
      "203.0.113.0/24", # those
      "unix:root",
    ]
    [service.inner]
    serve = "echo"
    listen-stream = "127.0.0.1:7"
    allow = ["10.0.0.0/8", "unix:*"]
    [service.clock]
    serve = "time"
    listen-datagram = "0.0.0.0:37"
    bind-to-device = "eth0"
    [service.own]
    exec = ["/bin/cat"]
    wait = true
    listen-stream = "fd:own"
    [service.off]
    enabled = false
    serve = "echo"
    listen-stream = "7"
    """

  private func explanation(_ client: String, _ service: String) throws -> AccessExplanation? {
    try Configuration.sample(AccessExplanationTests.configuration).explanation(
      of: try ClientAddress(parsing: client), to: service)
  }

  /// The limits of hello, with cells as wide as the source's row.
  private func limits(source: String, key: String, origin: String) -> String {
    let rows = [
      (key, "\(source) counts as one source", origin),
      ("max-connections-per-source", "32", "begat's default"),
      ("rate-per-source", "none", "begat's default"),
      ("max-connections", "9", "t.toml:6:1: service.hello.max-connections"),
      ("rate", "50/s", "t.toml:2:1: defaults.rate"),
      ("when-full", "wait", "begat's default"),
    ]
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
    let lines = rows.map { row in
      "  " + padded(row.0, 28) + (row.2.isEmpty ? row.1 : padded(row.1, rows[0].1.count + 2) + row.2) + "\n"
    }
    return "limits:\n" + lines.joined()
  }

  @Test(
    "names the line that refuses",
    arguments: [
      ("203.0.113.9", "hello", "t.toml:9:3: service.hello.deny: 203.0.113.0/24\n"),
      ("::ffff:203.0.113.9", "hello", "t.toml:9:3: service.hello.deny: 203.0.113.0/24\n"),
      ("unix:root", "hello", "t.toml:10:3: service.hello.deny: unix:root\n"),
      (
        "192.0.2.1", "inner",
        "t.toml:15:1: service.inner.allow: names others only\n"
          + "remark: inner listens on loopback addresses only, for clients on this machine\n"
      ),
      (
        "::1", "inner",
        "t.toml:15:1: service.inner.allow: names others only\nremark: inner listens on no IPv6 address\n"
      ),
    ])
  func namesTheLineThatRefuses(client: String, service: String, lines: String) throws {
    let explanation = try #require(try explanation(client, service))
    let name = client.replacing("::ffff:", with: "")
    #expect(explanation.text == "\(name) to \(service): refused\n  \(lines)")
    #expect(!explanation.isAdmitted)
  }

  private static let ipv6 = ("source-prefix.ipv6", "t.toml:7:19: service.hello.source-prefix.ipv6")

  @Test(
    "tells the limits that an admitted client meets",
    arguments: [
      ("2001:db8:1:2:3::9", "2001:db8:1::/56", ipv6), ("[2001:db8:1:203::9]", "2001:db8:1:200::/56", ipv6),
      ("192.0.2.1", "192.0.2.1", ("source-prefix.ipv4", "begat's default")),
      ("unix:nobody", "unix:nobody", ("source", "")),
    ])
  func tellsTheLimits(client: String, source: String, row: (key: String, origin: String)) throws {
    let explanation = try #require(try explanation(client, "hello"))
    let name = client.filter { $0 != "[" && $0 != "]" }
    #expect(
      explanation.text == "\(name) to hello: admitted\n  nothing is said about it\n"
        + limits(source: source, key: row.key, origin: row.origin))
    #expect(explanation.isAdmitted)
  }

  @Test("tells the rule that admits, and what a client cannot reach")
  func tellsTheRule() throws {
    let inner = try #require(try explanation("10.1.2.3", "inner"))
    #expect(
      inner.text.hasPrefix("10.1.2.3 to inner: admitted\n  t.toml:15:10: service.inner.allow: 10.0.0.0/8\nlimits:\n"))
    #expect(inner.text.hasSuffix("\nremark: inner listens on loopback addresses only, for clients on this machine\n"))
    #expect(inner.isAdmitted)
    let unix = try #require(try explanation("unix:4711", "inner"))
    #expect(unix.text.hasSuffix("\nremark: inner listens on no Unix socket\n") && unix.isAdmitted)
    #expect(try explanation("10.1.2.3", "off")?.text.hasSuffix("\nremark: off is disabled\n") == true)
  }

  @Test("tells the limits of datagrams")
  func tellsTheLimitsOfDatagrams() throws {
    #expect(
      try explanation("192.0.2.1", "clock")?.text == """
        192.0.2.1 to clock: admitted
          nothing is said about it: everybody may connect
        limits of datagrams:
          source-prefix.ipv4  192.0.2.1 counts as one source  begat's default
          rate-per-source     10/s                            begat's default
          rate                50/s                            t.toml:2:1: defaults.rate
        remark: clock takes only what comes through the interface eth0

        """)
  }

  @Test("leaves the decision to a program that accepts itself")
  func leavesTheDecision() throws {
    let explanation = try #require(try explanation("192.0.2.1", "own"))
    #expect(
      explanation.text
        == "192.0.2.1 to own: the program decides, it accepts connections itself\n  t.toml:22:1: service.own.wait\n")
    #expect(explanation.isAdmitted)
  }

  private static let proxied = """
    [service.behind]
    serve = "echo"
    listen-stream = "127.0.0.1:9007"
    deny = "203.0.113.0/24"
    proxy-from = ["127.0.0.0/8", "unix:root"]
    [service.direct]
    serve = "echo"
    listen-stream = "127.0.0.1:7"
    deny = "203.0.113.0/24"
    """

  private func answer(_ client: String, via proxy: String? = nil, _ service: String) throws -> AccessExplanation {
    let proxy = try proxy.map { try ClientAddress(parsing: $0) }
    let configuration = try Configuration.sample(AccessExplanationTests.proxied)
    return try #require(configuration.explanation(of: try ClientAddress(parsing: client), via: proxy, to: service))
  }

  @Test("decides on the client that a proxy names, if the proxy may name any")
  func decidesBehindProxies() throws {
    let admitted = try answer("192.0.2.1", via: "127.0.0.2", "behind")
    #expect(admitted.isAdmitted)
    #expect(
      admitted.text.hasPrefix(
        """
        192.0.2.1 via 127.0.0.2 to behind: admitted
          t.toml:5:15: service.behind.proxy-from: 127.0.0.0/8 may name its clients
          nothing is said about it
        limits:
          source-prefix.ipv4          192.0.2.1 counts as one source
        """), "\(admitted.text)")
    #expect(!admitted.text.contains("remark"))
    let denied = try answer("203.0.113.9", via: "unix:root", "behind")
    #expect(!denied.isAdmitted)
    #expect(
      denied.text.hasPrefix(
        """
        203.0.113.9 via unix:root to behind: refused
          t.toml:5:30: service.behind.proxy-from: unix:root may name its clients
          t.toml:4:8: service.behind.deny: 203.0.113.0/24
        """), "\(denied.text)")
    let other = try answer("192.0.2.1", via: "192.0.2.2", "behind")
    #expect(!other.isAdmitted)
    #expect(
      other.text.hasPrefix(
        "192.0.2.1 via 192.0.2.2 to behind: refused\n  t.toml:5:1: service.behind.proxy-from: names other proxies only\n"
      ),
      "\(other.text)")
  }

  @Test("refuses a client that comes without a proxy, and knows proxies")
  func refusesWithoutProxy() throws {
    let direct = try answer("192.0.2.1", "behind")
    #expect(!direct.isAdmitted)
    #expect(
      direct.text.hasPrefix(
        """
        192.0.2.1 to behind: refused
          t.toml:5:1: service.behind.proxy-from: clients come through proxies only (--via PROXY)
        """), "\(direct.text)")
    let proxy = try answer("127.0.0.2", "behind")
    #expect(
      proxy.isAdmitted && proxy.text.hasPrefix("127.0.0.2 to behind: a proxy, which names its clients"), "\(proxy.text)"
    )
  }

  @Test("does not believe a header where no proxy is named")
  func doesNotBelieve() throws {
    let answer = try answer("192.0.2.1", via: "203.0.113.9", "direct")
    #expect(!answer.isAdmitted && answer.text.hasPrefix("203.0.113.9 to direct: refused\n"))
    #expect(
      answer.text.hasSuffix(
        "remark: direct has no proxy-from: a PROXY header is data to it, and its client is 203.0.113.9\n"))
  }

  /// What becomes of a user of this machine who connects to a service on Unix sockets alone.
  private func answer(to client: String, _ lines: String) throws -> String {
    let text = "[service.x]\nserve = \"echo\"\nlisten-stream = \"/run/x\"\n\(lines)\n"
    let explanation = try Configuration.sample(text).explanation(of: try ClientAddress(parsing: client), to: "x")
    return try #require(explanation).text
  }

  @Test(
    "knows whom the mode of a Unix socket shuts out", .enabled(if: geteuid() == 0, "needs root: sockets are root's"))
  func knowsWhomTheModeShutsOut() throws {
    let closed = "unix:nobody to x: refused by the kernel\n  t.toml:4:1: service.x."
    let reason = ": the mode of its sockets does not let this user connect\n"
    #expect(try answer(to: "unix:nobody", "socket-mode = \"0660\"") == closed + "socket-mode" + reason)
    #expect(
      try answer(to: "unix:nobody", "socket-mode = \"0606\"\nsocket-group = \"nogroup\"") == closed + "socket-mode"
        + reason)
    #expect(
      try answer(to: "unix:nobody", "socket-mode = \"0066\"\nsocket-user = \"nobody\"") == closed + "socket-mode"
        + reason)
    for lines in [
      "socket-mode = \"0666\"", "socket-mode = \"0660\"\nsocket-group = \"nogroup\"",
      "socket-mode = \"0600\"\nsocket-user = \"nobody\"",
    ] { #expect(try answer(to: "unix:nobody", lines).hasPrefix("unix:nobody to x: admitted\n"), "\(lines)") }
    #expect(try answer(to: "unix:root", "socket-mode = \"0000\"").hasPrefix("unix:root to x: admitted\n"))
    // The default decides likewise.
    #expect(
      try answer(to: "unix:nobody", "[defaults]\nsocket-mode = \"0600\"").hasPrefix(
        "unix:nobody to x: refused by the kernel\n"))
  }

  @Test("an empty allow admits nobody")
  func anEmptyAllowAdmitsNobody() throws {
    #expect(
      try answer(to: "unix:root", "allow = []")
        == "unix:root to x: refused\n  t.toml:4:1: service.x.allow: is empty: nobody may connect\n")
    #expect(
      try answer(to: "unix:root", "deny = \"unix:1\"").hasPrefix(
        "unix:root to x: admitted\n  nothing is said about it\n"))
  }

  @Test("knows which service was meant")
  func knowsWhichServiceWasMeant() throws {
    let configuration = try Configuration.sample(AccessExplanationTests.configuration)
    #expect(try explanation("192.0.2.1", "helo") == nil)
    #expect(configuration.nearestService(to: "helo") == "hello")
    #expect(configuration.nearestService(to: "telephone") == nil)
  }

  @Test(
    "refuses what is no client",
    arguments: [
      ("localhost", "expected an IPv4 or IPv6 address or unix:USER, found \"localhost\""),
      ("192.0.2.1:80", "expected an IPv4 or IPv6 address or unix:USER, found \"192.0.2.1:80\""),
      ("[::1", "expected an IPv4 or IPv6 address or unix:USER, found \"[::1\""),
      ("", "expected an IPv4 or IPv6 address or unix:USER, found \"\""),
      ("unix:no-such-user", "no user \"no-such-user\" on this machine"), ("unix:*", "no user \"*\" on this machine"),
      ("10.0.0.0/8", "expected an IPv4 or IPv6 address or unix:USER, found \"10.0.0.0/8\""),
    ])
  func refusesWhatIsNoClient(text: String, problem: String) {
    #expect(throws: ClientAddress.Problem(description: problem)) { try ClientAddress(parsing: text) }
  }

  @Test("the tables show programs and access")
  func tablesShowPrograms() throws {
    let text = try Configuration.sample(AccessExplanationTests.configuration).effectiveSettings(
      support: KernelSupport(landlockVersion: 6, takesFilters: true))
    let expected = """
      log-level info, log-target auto, drain-timeout 30s, announce-time 0s
      control-socket /run/begat/control

      SERVICE  SERVES           USER                 LISTENS ON
      hello    hello            begat-hello (72619)  stream 0.0.0.0:2345
                                                     stream [::]:2345
                                                     stream /run/hello
      inner    echo             begat-inner (86951)  stream 127.0.0.1:7
      clock    time             begat-clock (95133)  datagram 0.0.0.0:37
      own      /bin/cat (wait)  begat-own (96991)    stream fd:own
      off      echo             begat-off (93642)    (disabled)

      connections: max-connections 256, max-connections-per-source 32, rate 50/s,
        rate-per-source none, when-full wait, deny-time none, first-byte-timeout none,
        idle-timeout 10m, max-duration none, log connections
      datagrams: rate 50/s, rate-per-source 10/s, when-full refuse

      SERVICE  DIFFERS IN
      hello    max-connections 9
      own      only rate, max-duration, log have an effect

      sandbox: the system calls that it needs, no files, no connections to others,
        no signals to others

      SERVICE  SANDBOX
      own      all system calls but those that no service needs

      SERVICE  ACCESS
      hello    deny 203.0.113.0/24, unix:root
      inner    allow 10.0.0.0/8, unix:*

      SERVICE  COULD BE CONFINED BY
      own      read-only-paths = ["/usr", "/etc"]


      """
    #expect(text == expected)
    let services = try Configuration.sample(AccessExplanationTests.configuration).services
    #expect(
      services.map(\.limitsText).prefix(4) == [
        "at most 9 connections, 32 of one source; rate 50/s", "at most 256 connections, 32 of one source; rate 50/s",
        "datagrams 50/s, 10/s of one source",
        "its program accepts connections itself; rate 50/s",
      ])
  }
}
