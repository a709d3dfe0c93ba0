import Admission
@_spi(Begat) import NameService
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration

/// The keys about how many clients there may be, and who they are.
@Suite struct AdmissionKeyTests {
  private static let echo = "[service.x]\nserve = \"echo\"\nlisten-stream = \"7\"\n"

  @Test("are read")
  func areRead() throws {
    let service = try Configuration.sample(
      AdmissionKeyTests.echo + """
        free-bind = true
        bind-to-device = "eth0"
        max-connections = 9
        max-connections-per-source = 10
        rate = "50/s burst 7"
        rate-per-source = "20/m"
        source-prefix = { ipv4 = 24, ipv6 = 56 }
        when-full = "refuse"
        refusal = "sorry, zu viele Gäste"
        allow = ["192.0.2.0/24", "unix:root",
          "::ffff:198.51.100.7", "2001:db8::/32"]
        deny = "unix:*"
        max-duration = "1h"
        """
    ).services[0]
    #expect(service.settings.bindOptions == BindOptions(allowsNonlocalAddress: true, device: "eth0"))
    var limits = AdmissionLimits()
    limits.maxConnections = 9
    limits.maxConnectionsPerSource = 10
    limits.rate = RateLimit("50/s burst 7")
    limits.ratePerSource = RateLimit("20/m")
    limits.sourcePrefix = SourcePrefix(ipv4: 24, ipv6: 56)
    limits.whenFull = .refuse
    limits.allow = [
      .network(try IPNetwork(parsing: "192.0.2.0/24")), .user(0), .network(try IPNetwork(parsing: "198.51.100.7")),
      .network(try IPNetwork(parsing: "2001:db8::/32")),
    ]
    limits.deny = [.anyUser]
    #expect(service.settings.admission == limits)
    #expect(service.settings.refusal == "sorry, zu viele Gäste")
    #expect(service.settings.maxDuration == .seconds(3600))
    #expect(service.allow?.map(\.text) == ["192.0.2.0/24", "unix:root", "::ffff:198.51.100.7", "2001:db8::/32"])
    #expect(
      service.allow?.map(\.origin.description)
        == ["13:10", "13:26", "14:3", "14:26"].map { "t.toml:\($0): service.x.allow" })
    #expect(service.deny.map(\.origin.description) == ["t.toml:15:8: service.x.deny"])
    #expect(service.origins["rate"]?.description == "t.toml:8:1: service.x.rate")
    #expect(service.origins["log"] == nil)
  }

  @Test("have defaults")
  func haveDefaults() throws {
    let service = try Configuration.sample(AdmissionKeyTests.echo).services[0]
    #expect(service.settings.admission == AdmissionLimits())
    #expect(service.settings.admission.maxConnectionsPerSource == 32)
    #expect(service.settings.bindOptions == BindOptions())
    #expect(service.settings.refusal == nil && service.settings.maxDuration == nil)
  }

  @Test("are inherited key by key, and lifted by none")
  func areInherited() throws {
    let services = try Configuration.sample(
      AdmissionKeyTests.echo + """
        [service.y]
        serve = "echo"
        listen-stream = "8"
        rate = "none"
        max-duration = "none"
        allow = []
        source-prefix.ipv4 = 8
        [defaults]
        rate = "5/s"
        max-duration = "1s"
        allow = [
          "10.0.0.0/8",
        ]
        source-prefix = { ipv6 = 48 }
        """
    ).services
    #expect(services.map(\.settings.admission.rate) == [RateLimit("5/s"), nil])
    #expect(services.map(\.settings.maxDuration) == [.seconds(1), nil])
    #expect(services.map { $0.settings.admission.allow?.count } == [1, 0])
    #expect(services[0].allow?.first?.origin.description == "t.toml:15:3: defaults.allow")
    #expect(
      services.map(\.settings.admission.sourcePrefix) == [SourcePrefix(ipv6: 48), SourcePrefix(ipv4: 8, ipv6: 48)])
    #expect(services.map { $0.origins["rate"]?.key } == ["defaults.rate", "service.y.rate"])
  }

  private static let network =
    "expected a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, or unix:USER, found "

  @Test(
    "say what is wrong with them",
    arguments: [
      (
        "rate = \"50\"",
        [
          "8: rate: expected a rate such as \"50/s\" or \"100/m burst 10\", or \"none\", found \"50\"; did you mean \"50/s\"?"
        ]
      ),
      (
        "rate = 50",
        [
          "8: rate: expected a rate such as \"50/s\" or \"100/m burst 10\", or \"none\", found 50; did you mean \"50/s\"?"
        ]
      ),
      (
        "rate-per-source = \"0/s\"",
        ["19: rate-per-source: expected a rate such as \"50/s\" or \"100/m burst 10\", or \"none\", found \"0/s\""]
      ),
      ("source-prefix = 24", ["17: source-prefix: expected a table, found 24"]),
      ("source-prefix = { ipv4 = 33 }", ["26: source-prefix.ipv4: expected an integer from 1 to 32, found 33"]),
      ("source-prefix = { ipv6 = 0 }", ["26: source-prefix.ipv6: expected an integer from 1 to 128, found 0"]),
      ("source-prefix = { ipv7 = 1 }", ["19: source-prefix.ipv7: unknown key; did you mean ipv4?"]),
      (
        "max-connections-per-source = 0",
        ["30: max-connections-per-source: expected an integer from 1 to 1000000, found 0"]
      ),
      ("when-full = \"drop\"", ["13: when-full: expected one of wait, refuse, found \"drop\""]),
      ("refusal = \"\"", ["11: refusal: expected one line of 1 to 500 bytes without control characters, found \"\""]),
      (
        "refusal = \"a\\nb\"",
        ["11: refusal: expected one line of 1 to 500 bytes without control characters, found \"a\\x0ab\""]
      ),
      (
        "refusal = \"a\\u009bb\"",
        ["11: refusal: expected one line of 1 to 500 bytes without control characters, found \"a\\xc2\\x9bb\""]
      ),
      (
        "refusal = 1",
        ["11: refusal: expected one line of 1 to 500 bytes without control characters, found 1; write \"1\""]
      ),
      (
        "bind-to-device = \"\"",
        [
          "18: bind-to-device: expected an interface's name of 1 to 15 bytes without / and white space, such as \"eth0\", found \"\""
        ]
      ),
      (
        "bind-to-device = \"sixteen-bytes-xx\"",
        [
          "18: bind-to-device: expected an interface's name of 1 to 15 bytes without / and white space, such as \"eth0\", found \"sixteen-bytes-xx\""
        ]
      ),
      (
        "bind-to-device = \"a b\"",
        [
          "18: bind-to-device: expected an interface's name of 1 to 15 bytes without / and white space, such as \"eth0\", found \"a b\""
        ]
      ),
      (
        "bind-to-device = \"a/b\"",
        [
          "18: bind-to-device: expected an interface's name of 1 to 15 bytes without / and white space, such as \"eth0\", found \"a/b\""
        ]
      ),
      ("free-bind = \"yes\"", ["13: free-bind: expected true or false, found \"yes\"; write true"]),
      (
        "allow = [\"localhost\"]",
        [
          "10: allow: expected a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, or unix:USER, found \"localhost\""
        ]
      ),
      (
        "allow = [\"192.0.2.0/33\"]",
        [
          "10: allow: expected a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, or unix:USER, found \"192.0.2.0/33\""
        ]
      ),
      (
        "deny = [\"192.0.2.1/24\"]",
        ["9: deny: \"192.0.2.1/24\": bits after the prefix are set; did you mean 192.0.2.0/24?"]
      ),
      ("allow = [\"unix:no-such-user\"]", ["10: allow: no user \"no-such-user\" on this machine"]),
      ("allow = [\"unix:\"]", ["10: allow: expected unix:USER or unix:*, found \"unix:\""]),
      ("allow = [\"unix:4294967295\"]", ["10: allow: no user \"4294967295\" on this machine"]),
      (
        "allow = [1]",
        ["10: allow: expected a network or unix:USER in quotes such as \"192.0.2.0/24\", found 1"]
      ),
      (
        "max-duration = \"0s\"",
        ["16: max-duration: expected a duration above 0 such as \"30s\", or \"none\", found \"0s\""]
      ),
    ])
  func sayWhatIsWrong(line: String, messages: [String]) {
    #expect(
      Configuration.problems(AdmissionKeyTests.echo + line) == messages.map { located($0, line: 4, in: "service.x.") })
  }

  @Test("take 500 bytes of a refusal and users without a name")
  func takeTheLongest() throws {
    let line = String(repeating: "x", count: 500)
    #expect(Configuration.problems(AdmissionKeyTests.echo + "refusal = \"\(line)\"") == [])
    #expect(Configuration.problems(AdmissionKeyTests.echo + "refusal = \"\(line)x\"").count == 1)
    let service = try Configuration.sample(AdmissionKeyTests.echo + "deny = [\"unix:987654321\"]").services[0]
    #expect(service.settings.admission.deny == [.user(987_654_321)])
  }

  @Test("refuse to allow and deny the same")
  func refuseContradictions() {
    let text =
      AdmissionKeyTests.echo
      + "allow = [\"192.0.2.0/24\",\n\"10.0.0.1\"]\ndeny = [\n\"192.0.2.0/25\",\n\"10.0.0.1/32\"]\n"
    #expect(
      Configuration.problems(text) == [
        "t.toml:8:1: service.x.deny: 10.0.0.1/32 is also in allow, at t.toml:5:1; remove one"
      ])
    #expect(
      Configuration.problems("[defaults]\nallow = \"unix:0\"\n" + AdmissionKeyTests.echo + "deny = \"unix:root\"") == [
        "t.toml:6:8: service.x.deny: unix:root is also in allow, at t.toml:2:9; remove one"
      ])
  }

  @Test("name the line of an element")
  func nameTheLineOfAnElement() {
    #expect(
      Configuration.problems(
        "[service.x]\nserve = \"echo\"\nlisten-stream = [\n\"7\",\n\"x:y\",\n]\nallow = [\n\"1.2.3.4\",\n\"1\"]") == [
          "t.toml:5:1: service.x.listen-stream: expected an address, not a name: \"x:y\"",
          "t.toml:9:1: service.x.allow: \(AdmissionKeyTests.network)\"1\"",
        ])
  }

  @Test(
    "want to know who may have datagrams of what could be abused",
    arguments: [
      ("echo", "", false), ("fortune", "", false), ("fortune", "allow = []", true),
      ("chargen", "allow = [\"unix:*\"]", false),
      ("echo", "allow = [\"127.0.0.0/8\"]", true), ("time", "", true), ("discard", "", true), ("daytime", "", true),
    ])
  func wantToKnowWhoMayHaveDatagrams(name: String, line: String, isRight: Bool) {
    let text = "[service.x]\nserve = \"\(name)\"\nlisten-datagram = \"127.0.0.1:7\"\n\(line)\n"
    let problem =
      "t.toml:3:1: service.x.listen-datagram: anybody could have \(name) send its answers to a third party; "
      + "set allow to the networks that may ask"
    #expect(Configuration.problems(text) == (isRight ? [] : [problem]))
    let unix = "[service.x]\nserve = \"\(name)\"\nlisten-datagram = \"@x\"\n\(line)\n"
    #expect(Configuration.problems(unix) == [])
  }
}
