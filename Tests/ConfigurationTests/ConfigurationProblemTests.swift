import Testing

@testable import Configuration

/// Each kind of problem with its line, word for word.
@Suite struct ConfigurationProblemTests {
  private static let good = "serve = \"echo\"\nlisten-stream = \"7\"\n"
  private static let kinds = "one of hello, fortune, daytime, time, echo, discard, chargen, command"

  @Test(
    "says what is wrong with a key of a service",
    arguments: [
      ("max-conections = 1", "max-conections: unknown key; did you mean max-connections?"),
      ("port = 1", "port: unknown key"),
      ("\"odd key\" = 1", "\"odd key\": unknown key"),
      ("\"\\u001b[2J\" = 1", "\"\\x1b[2J\": unknown key"),
      ("sandbox = \"on\"", "sandbox: not supported by this version"),
      ("enabled = 1", "enabled: expected true or false, found an integer"),
      ("enabled = \"yes\"", "enabled: expected true or false, found a string"),
      ("resolve-names = []", "resolve-names: expected true or false, found an array"),
      ("backlog = 0", "backlog: expected an integer from 1 to 65535, found 0"),
      ("backlog = 65536", "backlog: expected an integer from 1 to 65535, found 65536"),
      (
        "max-connections = 256.0",
        "max-connections: expected an integer from 1 to 1000000, found a floating-point number"
      ),
      ("max-connections = -1", "max-connections: expected an integer from 1 to 1000000, found -1"),
      (
        "max-connections = 9223372036854775807",
        "max-connections: expected an integer from 1 to 1000000, found 9223372036854775807"
      ),
      ("max-connections = 2024-02-28", nil), ("listen-datagram = 127.0.0.1:7", nil),
      ("idle-timeout = 10", "idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found an integer"),
      ("idle-timeout = \"0s\"", "idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"0s\""),
      (
        "idle-timeout = \"1e9999s\"",
        "idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"1e9999s\""
      ),
      (
        "first-byte-timeout = \"5\"",
        "first-byte-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"5\""
      ),
      (
        "log = \"problem\"",
        "log: expected one of connections, problems, none, found \"problem\"; did you mean problems?"
      ),
      ("log = {}", "log: expected one of connections, problems, none, found a table"),
      ("socket-mode = 438", "socket-mode: expected permissions in octal digits such as \"0666\", found an integer"),
      ("socket-mode = \"0888\"", "socket-mode: expected permissions in octal digits such as \"0666\", found \"0888\""),
      ("socket-mode = \"4755\"", "socket-mode: expected permissions in octal digits such as \"0666\", found \"4755\""),
      ("socket-mode = \"\"", "socket-mode: expected permissions in octal digits such as \"0666\", found \"\""),
      ("user = 65534", "user: expected a user's name or number in quotes, found an integer"),
      ("user = \"no-such-user\"", "user: no user \"no-such-user\" on this machine"),
      ("group = \"no-such-group\"", "group: no group \"no-such-group\" on this machine"),
      ("socket-user = \"no-such-user\"", "socket-user: no user \"no-such-user\" on this machine"),
      ("socket-group = \"4294967295\"", "socket-group: no group \"4294967295\" on this machine"),
      ("listen-datagram = 13", "listen-datagram: expected a list of addresses, found an integer"),
      ("listen-datagram = [7]", "listen-datagram: expected a list of addresses, found an integer in it"),
      ("listen-datagram = \"localhost:80\"", "listen-datagram: expected an address, not a name: \"localhost:80\""),
      ("fortune.offensive = true", "fortune: echo tells no fortunes"),
      ("fortune = 1", "fortune: expected a table, found an integer"),
    ] as [(String, String?)])
  func saysWhatIsWrongWithAKey(line: String, message: String?) {
    let problems = Configuration.problems("[service.x]\n\(ConfigurationProblemTests.good)\(line)\n")
    if let message {
      #expect(problems.contains("t.toml:4: service.x.\(message)"), "\(problems)")
    } else {
      #expect(problems.count == 1 && problems[0].hasPrefix("t.toml:4:"), "\(problems)")
    }
  }

  @Test(
    "says what is wrong with a file",
    arguments: [
      ("[sevice.x]", ["t.toml:1: sevice: unknown key; did you mean service?"]),
      ("service = 3", ["t.toml:1: service: expected a table, found an integer"]),
      ("[[service]]", ["t.toml:1: service: expected a table, found an array"]),
      ("\nservice.x = 3", ["t.toml:2: service.x: expected a table, found an integer"]),
      (
        "[daemon]\nlog-level = \"inof\"",
        [
          "t.toml:2: daemon.log-level: expected one of trace, debug, info, notice, warning, error, critical, found \"inof\"; "
            + "did you mean info?"
        ]
      ),
      (
        "[daemon]\nlog-target = true",
        ["t.toml:2: daemon.log-target: expected one of auto, stderr, journal, syslog, found a boolean"]
      ),
      (
        "[daemon]\ndrain-timeout = \"soon\"",
        ["t.toml:2: daemon.drain-timeout: expected a duration such as \"30s\" or \"10m\", found \"soon\""]
      ),
      ("[daemon]\ncontrol-socket = \"/x\"", ["t.toml:2: daemon.control-socket: not supported by this version"]),
      (
        "[defaults]\nbacklog = \"1\"",
        ["t.toml:2: defaults.backlog: expected an integer from 1 to 65535, found a string"]
      ),
      (
        "[service.x]\nserve = \"echo\"",
        ["t.toml:1: service.x: expected listen-stream or listen-datagram with an address"]
      ),
      (
        "[service.x]\nserve = \"echo\"\nlisten-stream = []",
        ["t.toml:1: service.x: expected listen-stream or listen-datagram with an address"]
      ),
      (
        "[service.x]\nlisten-stream = \"7\"",
        ["t.toml:1: service.x: expected serve, \(kinds), or exec, a program's path and arguments"]
      ),
      (
        "[service.x]\nlisten-stream = \"7\"\nserve = \"helo\"",
        ["t.toml:3: service.x.serve: expected \(kinds), found \"helo\"; did you mean hello?"]
      ),
      (
        "[service.x]\nserve = \"hello\"\nlisten-datagram = \"7\"",
        ["t.toml:3: service.x.listen-datagram: hello takes no datagrams"]
      ),
      (
        "[service.x]\nserve = \"command\"\nlisten-stream = \"7\"\nlisten-datagram = \"7\"",
        ["t.toml:4: service.x.listen-datagram: command takes no datagrams"]
      ),
      (
        "[service.1x]\n\(good)",
        [
          "t.toml:1: service.1x: expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"
        ]
      ),
      (
        "[service.\"\"]\n\(good)",
        [
          "t.toml:1: service.\"\": expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"
        ]
      ),
      (
        "[service.a]\n\(good)[service.b]\n\(good)",
        [
          "t.toml:6: service.b.listen-stream: 0.0.0.0:7 is also at t.toml:3",
          "t.toml:6: service.b.listen-stream: [::]:7 is also at t.toml:3",
        ]
      ),
      (
        "[service.a]\nserve = \"time\"\nlisten-stream = [\"/x\"]\nlisten-datagram = [\"/x\"]",
        ["t.toml:4: service.a.listen-datagram: /x is also at t.toml:3"]
      ),
      (
        "[service.a]\nserve = \"fortune\"\nlisten-stream = \"17\"\n[service.a.fortune]\nmaxlength = 1\nmax-length = 0",
        [
          "t.toml:5: service.a.fortune.maxlength: unknown key; did you mean max-length?",
          "t.toml:6: service.a.fortune.max-length: expected an integer of at least 1, found 0",
        ]
      ),
      (
        "[service.a]\nserve = \"fortune\"\nlisten-stream = \"17\"\nfortune.databases = [\"x\", \"/nonexistent/y\"]",
        [
          "t.toml:4: service.a.fortune.databases: expected an absolute path, found \"x\"",
          "t.toml:4: service.a.fortune.databases: /nonexistent/y: No such file or directory",
        ]
      ),
    ] as [(String, [String])])
  func saysWhatIsWrongWithAFile(text: String, problems: [String]) {
    #expect(Configuration.problems(text) == problems)
  }

  @Test("tells all problems at once, and one of the defaults once")
  func tellsAll() {
    let text = """
      [defaults]
      user = "no-such-user"
      [service.a]
      serve = "echo"
      listen-stream = ["localhost:7", "127.0.0.1:x"]
      [service.b]
      serve = "echo"
      listen-stream = "8"
      bakclog = 7
      """
    #expect(
      Configuration.problems(text) == [
        "t.toml:2: defaults.user: no user \"no-such-user\" on this machine",
        "t.toml:5: service.a.listen-stream: expected an address, not a name: \"localhost:7\"",
        "t.toml:5: service.a.listen-stream: expected a port from 0 to 65535 or a tcp name of /etc/services, found \"x\"",
        "t.toml:9: service.b.bakclog: unknown key; did you mean backlog?",
      ])
  }

  @Test("tells a user who is not root what only root can do")
  func tellsWhatOnlyRootCan() {
    let text =
      "[service.a]\n\(ConfigurationProblemTests.good)user = \"root\"\ngroup = \"root\"\nsocket-user = \"root\"\n"
    #expect(
      Configuration.problems(text, user: 1000) == [
        "t.toml:6: service.a.socket-user: only root can give a socket to root",
        "t.toml:4: service.a.user: only root can serve as root",
        "t.toml:5: service.a.group: only root can serve with another group",
      ])
    #expect(Configuration.problems(text) == [])
  }

  @Test(
    "points at syntax errors",
    arguments: [
      ("[daemon", "t.toml:1:8: syntax error: "), ("\n\n a = = 1", "t.toml:3:6: syntax error: "),
      ("é = 1", "t.toml:1:1: syntax error: "), ("\n[%t]", "t.toml:2:2: syntax error: expected a table's name"),
      ("# ü\n [[ é ]]", "t.toml:2:5: syntax error: expected a table's name"),
      ("a = \n[%t]", "t.toml:1:5: syntax error: "), ("a = 'ü\\u0000' b", "t.toml:1:15: syntax error: "),
      ("a = 1\na = 2", "t.toml:2:5: syntax error: "), ("a = 9223372036854775808", "t.toml:1:"),
      ("a = \"x", "t.toml:1:7: syntax error: "),
    ])
  func pointsAtSyntaxErrors(text: String, prefix: String) {
    let problems = Configuration.problems(text)
    #expect(problems.count == 1 && problems[0].hasPrefix(prefix), "\(problems)")
  }
}
