@_spi(Begat) import NameService
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import Settings

@Suite struct ConfigurationReadingTests {
  private static let service = "[service.a]\nserve = \"echo\"\nlisten-stream = \"7\"\n"
  private let every = """
    [daemon]
    log-level = "debug"
    log-target = "syslog"
    drain-timeout = "1h30m"
    [service.z]
    enabled = false
    serve = "fortune"
    listen-stream = ["127.0.0.1:0", "fd:web"]
    listen-datagram = ["@x", "/run/y"]
    socket-mode = "0600"
    socket-user = "daemon"
    socket-group = "daemon"
    backlog = 7
    user = "daemon"
    group = "nogroup"
    sandbox = "off"
    max-connections = 1_000_000
    first-byte-timeout = "500ms"
    idle-timeout = "none"
    log = "none"
    fortune = { databases = "/", offensive = true, max-length = 9 }
    [service.a]
    serve = "echo"
    listen-stream = "7"
    """

  @Test("reads every key")
  func readsEveryKey() throws {
    let configuration = try Configuration.sample(every)
    #expect(configuration.daemon.logLevel == .debug)
    #expect(configuration.daemon.logTarget == .syslog)
    #expect(configuration.daemon.drainTimeout == .seconds(5400))
    #expect(configuration.services.map(\.name) == ["z", "a"])
    let service = configuration.services[0]
    #expect(!service.settings.enabled)
    #expect(service.place == Place(file: "t.toml", line: 5, column: 10))
    #expect(service.mode.offer == .builtIn(.fortune))
    #expect(service.streams == [.address(.ipv4(.loopback, port: 0), isOptional: false), .passed(name: "web")])
    #expect(
      service.datagrams == [
        .address(.unixAbstract([0x78]), isOptional: false), .address(.unixPath("/run/y"), isOptional: false),
      ])
    let daemon = try #require(Users.find("daemon")?.identity)
    #expect(service.socketAccess.mode == 0o600)
    #expect(service.socketAccess.user == daemon.user && service.socketAccess.group == daemon.group)
    #expect(service.settings.backlog == 7)
    let nogroup = try #require(Users.findGroup("nogroup"))
    #expect(service.identity?.user == daemon.user && service.identity?.group == nogroup)
    #expect(service.identity?.groups.contains(daemon.group) == false)
    #expect(service.settings.admission.maxConnections == 1_000_000)
    #expect(service.settings.firstByteTimeout == .milliseconds(500))
    #expect(service.settings.idleTimeout == nil)
    #expect(service.settings.log == ConnectionLog.none)
    #expect(service.settings.fortune.databases == ["/"])
    #expect(service.settings.fortune.offensive)
    #expect(service.settings.fortune.maxLength == 9)
  }

  @Test("has defaults for every key")
  func hasDefaults() throws {
    let service = try #require(Configuration.sample(every).services.last)
    #expect(service.settings.enabled)
    #expect(service.socketAccess.mode == 0o666)
    #expect(service.socketAccess.user == nil && service.socketAccess.group == nil)
    #expect(service.settings.backlog == 4096)
    let number = IdentityTable.start(of: service.name, in: IdentityRange.usual.numbers)
    #expect(service.identity == Identity(user: number, group: number, groups: [number]))
    #expect(service.ownUser == "begat-\(service.name)")
    #expect(service.settings.admission.maxConnections == 256)
    #expect(service.settings.firstByteTimeout == nil)
    #expect(service.settings.idleTimeout == .seconds(600))
    #expect(!service.settings.looksUpNames)
    #expect(service.settings.log == .connections)
    let daemon = try Configuration.sample(ConfigurationReadingTests.service).daemon
    #expect(daemon == DaemonSettings())
    #expect(daemon.logLevel == .info && daemon.logTarget == .auto && daemon.drainTimeout == .seconds(30))
  }

  @Test("takes from [defaults] what a service leaves out, wherever the table stands")
  func takesFromDefaults() throws {
    let services = try Configuration.sample(
      """
      [service.a]
      serve = "hello"
      listen-stream = "127.0.0.1:1"
      [service.b]
      serve = "hello"
      listen-stream = "127.0.0.1:2"
      backlog = 2
      idle-timeout = "2s"
      fortune.max-length = 2
      [defaults]
      backlog = 1
      idle-timeout = "none"
      first-byte-timeout = "1s"
      resolve-names = false
      fortune = { offensive = true, max-length = 1 }
      """
    ).services
    #expect(services.map(\.settings.backlog) == [1, 2])
    #expect(services.map(\.settings.idleTimeout) == [nil, .seconds(2)])
    #expect(services.map(\.settings.firstByteTimeout) == [.seconds(1), .seconds(1)])
    #expect(services.map(\.settings.looksUpNames) == [false, false])
    #expect(services.map(\.settings.fortune.maxLength) == [1, 2])
    #expect(services.map(\.settings.fortune.offensive) == [true, true])
  }

  @Test("looks up names for hello alone unless told")
  func looksUpNamesForHello() throws {
    let services = try Configuration.sample(
      "[service.a]\nserve = \"hello\"\nlisten-stream = \"1\"\n[service.b]\nserve = \"echo\"\nlisten-stream = \"2\"\n"
    ).services
    #expect(services.map(\.settings.looksUpNames) == [true, false])
  }

  @Test("serves as itself when begatd is not root")
  func servesAsItself() throws {
    let text = "[service.a]\nserve = \"echo\"\nlisten-stream = \"7\"\n"
    #expect(try Configuration.sample(text, user: 1000).services[0].identity == nil)
    #expect(try Configuration.sample(text + "user = \"daemon\"", user: 1).services[0].identity == nil)
  }

  @Test("lets services share what is no address of theirs")
  func letsServicesShare() {
    let text = """
      [service.a]
      serve = "echo"
      listen-stream = ["127.0.0.1:0", "127.0.0.1:7", "@x", "fd:x"]
      listen-datagram = ["127.0.0.1:0", "127.0.0.1:7", "@x", "fd:x"]
      allow = ["127.0.0.0/8"]
      [service.b]
      serve = "echo"
      listen-stream = ["127.0.0.1:0", "127.0.0.2:7"]
      [service.c]
      enabled = false
      serve = "echo"
      listen-stream = "127.0.0.1:7"
      """
    #expect(Configuration.problems(text) == [])
  }

  @Test("wants a service", arguments: ["", "[daemon]", "[defaults]\nserve = \"echo\"", service + "enabled = false"])
  func wantsAService(text: String) {
    #expect(Configuration.problems(text) == ["t.toml: no service to offer; define one, or enable one"])
  }

  @Test(
    "reads durations",
    arguments: [
      ("30s", .seconds(30)), ("10m", .seconds(600)), ("500ms", .milliseconds(500)), ("1h30m", .seconds(5400)),
      ("2d", .seconds(172_800)), ("0s", .zero), ("3650d", .seconds(315_360_000)), ("", nil), ("30", nil), ("s", nil),
      ("3651d", nil), ("-1s", nil), ("+1s", nil), ("1.5s", nil), ("1 s", nil), ("99999999999999999999s", nil),
      ("9223372036854775807d", nil), ("1S", nil), ("1w", nil), ("٣s", nil),
    ] as [(String, Duration?)])
  func readsDurations(text: String, duration: Duration?) {
    let configuration = try? Configuration.sample(
      "[daemon]\ndrain-timeout = \"\(text)\"\n" + ConfigurationReadingTests.service)
    #expect(configuration?.daemon.drainTimeout == duration)
  }
}
