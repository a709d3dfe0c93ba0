import Admission
import Glibc
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

/// The keys about proxies that name their clients.
@Suite struct ProxyKeyTests {
  private static let echo = "[service.x]\nserve = \"echo\"\nlisten-stream = \"7\"\n"

  @Test("are read, and reach the listener")
  func areRead() throws {
    let service = try Configuration.sample(
      Self.echo + "proxy-from = [\"10.0.0.0/8\", \"unix:root\"]\nproxy-timeout = \"3s\"\nproxy-version = 2"
    ).services[0]
    let proxies: [AccessPeer] = [.network(try IPNetwork(parsing: "10.0.0.0/8")), .user(0)]
    #expect(service.settings.admission.proxies == proxies)
    #expect(service.proxies.map(\.origin.description) == ["4:15", "4:29"].map { "t.toml:\($0): service.x.proxy-from" })
    #expect(service.settings.proxyTimeout == .seconds(3) && service.settings.proxyVersion == .two)
    let options = ListenerOptions(service, hasResolver: false)
    #expect(options.proxyFrom == ["10.0.0.0/8", "unix:0"] && options.service.requiresProxies)
    #expect(
      options.arguments.joined(separator: " ").contains(
        "--proxy-from 10.0.0.0/8 --proxy-from unix:0 --proxy-timeout 3s --proxy-version 2"))
  }

  @Test("are shown among those who may connect")
  func areShown() throws {
    let configuration = try Configuration.sample(
      Self.echo + "deny = \"192.0.2.1\"\nproxy-from = [\"10.0.0.0/8\", \"unix:root\"]")
    let text = configuration.effectiveSettings()
    #expect(
      text.contains(
        """
        SERVICE  ACCESS
        x        deny 192.0.2.1
                 proxy-from 10.0.0.0/8, unix:root
        """), "\(text)")
  }

  @Test("have defaults")
  func haveDefaults() throws {
    let plain = try Configuration.sample(Self.echo).services[0]
    #expect(!plain.settings.requiresProxies && plain.proxies.isEmpty && plain.settings.admission.proxies.isEmpty)
    let proxied = try Configuration.sample(Self.echo + "proxy-from = \"10.0.0.1\"").services[0]
    #expect(proxied.settings.proxyTimeout == .seconds(5) && proxied.settings.proxyVersion == .any)
  }

  @Test("of [defaults] can be taken back")
  func canBeTakenBack() throws {
    let defaults = "[defaults]\nproxy-from = [\"10.0.0.1\"]\nproxy-timeout = \"1s\"\n"
    #expect(try Configuration.sample(Self.echo + defaults).services[0].settings.requiresProxies)
    let service = try Configuration.sample(Self.echo + "proxy-from = []\n" + defaults).services[0]
    #expect(!service.settings.requiresProxies && service.settings.proxyTimeout == .seconds(5))
    // A service that answers datagrams too keeps its clients.
    let time = "[service.t]\nserve = \"time\"\nlisten-stream = \"37\"\nlisten-datagram = \"37\"\n"
    #expect(try !Configuration.sample(time + defaults).services[0].settings.requiresProxies)
    // HAProxy asks for its state without a header.
    let agent = "[service.agent]\nserve = \"haproxy-agent\"\nlisten-stream = \"127.0.0.1:9346\"\n"
    #expect(try !Configuration.sample(agent + defaults).services[0].settings.requiresProxies)
  }

  @Test("of [defaults] are missed where they cannot hold")
  func areMissed() throws {
    let defaults = "[defaults]\nproxy-from = [\"10.0.0.1\"]\n"
    func warnings(_ lines: String..., defaults: String = defaults) throws -> [String] {
      let text = defaults + "[service.t]\n" + lines.joined(separator: "\n") + "\nlisten-stream = \"127.0.0.1:37\"\n"
      return try Configuration.sample(text).warnings.map(\.description)
    }
    let time = "serve = \"time\"\nlisten-datagram = \"127.0.0.1:37\""
    let program = "exec = [\"/bin/cat\"]\nwait = true"
    let start = "t.toml:2:1: defaults.proxy-from: does not hold for t, whose clients come by themselves: "
    #expect(
      try warnings(time) == [
        start + "it answers datagrams, which have no PROXY header; give them a service of their own, or write "
          + "proxy-from = [] there"
      ])
    #expect(
      try warnings(program) == [
        start + "with wait its program accepts clients itself; let the program itself refuse others, or write "
          + "proxy-from = [] there"
      ])
    for offer in [time, program] {
      #expect(try warnings(offer, "proxy-from = []") == [])
      #expect(try warnings(offer, defaults: "[defaults]\nproxy-from = []\n") == [])
    }
    #expect(try warnings("serve = \"time\"") == [])
    #expect(try warnings("serve = \"haproxy-agent\"") == [])
    let datagrams = "[service.t]\nserve = \"time\"\nlisten-datagram = \"127.0.0.1:37\"\n"
    #expect(try Configuration.sample(defaults + datagrams).warnings.isEmpty)
  }

  @Test("are refused for an agent, to which HAProxy sends no header")
  func areNotForAgents() {
    let agent = "[service.agent]\nserve = \"haproxy-agent\"\nlisten-stream = \"127.0.0.1:9346\"\n"
    #expect(
      Configuration.problems(agent + "proxy-from = [\"10.0.0.1\"]") == [
        "t.toml:4:1: service.agent.proxy-from: has no effect on haproxy-agent: HAProxy's agent-check sends no PROXY header"
      ])
  }

  @Test(
    "say what is wrong",
    arguments: [
      ("proxy-version = \"1\"", "17: proxy-version: expected \"any\", 1 or 2, found \"1\"; write 1 without quotes"),
      ("proxy-version = 3", "17: proxy-version: expected \"any\", 1 or 2, found 3"),
      ("proxy-timeout = \"0s\"", "17: proxy-timeout: expected a duration above 0 such as \"5s\", found \"0s\""),
      ("proxy-timeout = \"none\"", "17: proxy-timeout: expected a duration above 0 such as \"5s\", found \"none\""),
      (
        "proxy-timeout = 5",
        "17: proxy-timeout: expected a duration above 0 such as \"5s\", found 5; did you mean \"5s\"?"
      ),
    ])
  func sayWhatIsWrong(line: String, message: String) {
    #expect(
      Configuration.problems(Self.echo + "proxy-from = [\"10.0.0.1\"]\n" + line) == [
        located(message, line: 5, in: "service.x.")
      ])
  }

  @Test("need proxies", arguments: ["proxy-timeout = \"1s\"", "proxy-version = 1"])
  func needProxies(line: String) throws {
    let key = try #require(line.split(separator: " ").first)
    for proxies in ["", "proxy-from = []\n"] {
      #expect(
        Configuration.problems(Self.echo + proxies + line) == [
          "t.toml:\(proxies.isEmpty ? 4 : 5):1: service.x.\(key): has no effect without proxy-from"
        ])
    }
  }

  @Test("need users of this machine")
  func needUsers() {
    #expect(
      Configuration.problems(Self.echo + "proxy-from = [\"unix:nosuchuser\"]") == [
        "t.toml:4:15: service.x.proxy-from: no user \"nosuchuser\" on this machine"
      ])
  }

  @Test("hold neither for datagrams nor for programs that accept")
  func holdForStreams() {
    let time = "[service.t]\nserve = \"time\"\nlisten-datagram = \"37\"\nproxy-from = [\"10.0.0.1\"]\n"
    let reason = "cannot hold for datagrams, which have no PROXY header: give them a service of their own"
    #expect(
      Configuration.problems(time) == [
        "t.toml:4:1: service.t.proxy-from: has no effect on datagrams: they make no connections"
      ])
    #expect(
      Configuration.problems(time + "listen-stream = \"37\"") == ["t.toml:4:1: service.t.proxy-from: \(reason)"])
    #expect(
      Configuration.problems(
        "[service.p]\nexec = [\"/bin/cat\"]\nwait = true\nlisten-stream = \"7\"\nproxy-from = [\"10.0.0.1\"]") == [
          "t.toml:5:1: service.p.proxy-from: has no effect with wait: the program itself accepts"
        ])
  }

  @Test("make sources on Unix sockets those of networks")
  func makeSources() throws {
    let service = "[service.x]\nserve = \"echo\"\nlisten-stream = \"/run/x\"\nsource-prefix.ipv4 = 24\n"
    #expect(
      Configuration.problems(service) == [
        "t.toml:4:15: service.x.source-prefix.ipv4: has no effect on Unix sockets"
      ])
    #expect(try Configuration.sample(service + "proxy-from = \"unix:*\"").services[0].settings.requiresProxies)
  }

  @Test("are warned of before a program that asks for its peer, and where every peer is a proxy")
  func areWarnedOf() throws {
    let directory = try TemporaryDirectory()
    try directory.write("#!/bin/sh\n", to: "sshd", mode: 0o755)
    #expect(chmod(directory.path, 0o755) == 0)
    let sshd =
      "[service.a]\nexec = [\"\(directory["sshd"])\", \"-i\"]\nlisten-stream = \"22\"\nproxy-from = [\"10.0.0.1\"]\n"
    let warnings = try Configuration.sample(sshd).warnings.map(\.description)
    #expect(
      warnings == [
        "t.toml:4:1: service.a.proxy-from: sshd sees the proxy's address as its client's: its own host rules and log "
          + "apply to the proxy; use allow and deny here, and begat's log"
      ])
    let open = try Configuration.sample(Self.echo + "proxy-from = [\"10.0.0.1\", \"::/0\"]").warnings.map(\.description)
    #expect(
      open == [
        "t.toml:4:27: service.x.proxy-from: ::/0 lets every machine that reaches x claim any client address; list only "
          + "the proxies"
      ])
  }
}
