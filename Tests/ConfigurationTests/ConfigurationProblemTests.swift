import Testing

@testable import Configuration

/// Each kind of problem with its line, word for word.
@Suite struct ConfigurationProblemTests {
  private static let good = "serve = \"echo\"\nlisten-stream = \"7\"\n"

  @Test(
    "says what is wrong with a key of a service",
    arguments: [
      ("max-conections = 1", ["1: max-conections: unknown key; did you mean max-connections?"]),
      ("port = 1", ["1: port: unknown key; use listen-stream or listen-datagram, such as listen-stream = [\"2345\"]"]),
      ("\"odd key\" = 1", ["1: \"odd key\": unknown key"]),
      ("\"\\u001b[2J\" = 1", ["1: \"\\x1b[2J\": unknown key"]),
      ("chroot = \"/srv\"", ["1: chroot: unknown key"]),
      ("enabled = 1", ["11: enabled: expected true or false, found 1"]),
      ("enabled = \"yes\"", ["11: enabled: expected true or false, found \"yes\"; write true"]),
      (
        "resolve-names = []",
        [
          "1: resolve-names: only with serve = \"hello\": nothing else shows names of hosts",
          "17: resolve-names: expected true or false, found an empty list",
        ]
      ),
      ("backlog = 0", ["11: backlog: expected an integer from 1 to 65535, found 0"]),
      ("backlog = 65536", ["11: backlog: expected an integer from 1 to 65535, found 65536"]),
      (
        "max-connections = 256.0",
        [
          "19: max-connections: expected an integer from 1 to 1000000, found a floating-point number, which no key takes"
        ]
      ),
      ("max-connections = -1", ["19: max-connections: expected an integer from 1 to 1000000, found -1"]),
      (
        "max-connections = 9223372036854775807",
        ["19: max-connections: expected an integer from 1 to 1000000, found 9223372036854775807"]
      ),
      ("max-connections = 2024-02-28", nil), ("listen-datagram = 127.0.0.1:7", nil),
      (
        "idle-timeout = 10",
        ["16: idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found 10; did you mean \"10s\"?"]
      ),
      (
        "idle-timeout = \"0s\"",
        ["16: idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"0s\""]
      ),
      (
        "idle-timeout = \"1e9999s\"",
        ["16: idle-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"1e9999s\""]
      ),
      (
        "first-byte-timeout = \"5\"",
        [
          "22: first-byte-timeout: expected a duration above 0 such as \"30s\", or \"none\", found \"5\"; did you mean \"5s\"?"
        ]
      ),
      (
        "log = \"problem\"",
        ["7: log: expected one of connections, open, problems, none, found \"problem\"; did you mean problems?"]
      ),
      ("log = {}", ["7: log: expected one of connections, open, problems, none, found a table"]),
      (
        "socket-mode = 438",
        [
          "1: socket-mode: has no effect: only for Unix sockets with a path that are bound here",
          "15: socket-mode: expected permissions in octal digits such as \"0660\", found 438",
        ]
      ),
      (
        "socket-mode = \"0888\"",
        [
          "1: socket-mode: has no effect: only for Unix sockets with a path that are bound here",
          "15: socket-mode: expected permissions in octal digits such as \"0660\", found \"0888\"",
        ]
      ),
      (
        "socket-mode = \"4755\"",
        [
          "1: socket-mode: has no effect: only for Unix sockets with a path that are bound here",
          "15: socket-mode: expected permissions in octal digits such as \"0660\", found \"4755\"",
        ]
      ),
      (
        "socket-mode = \"\"",
        [
          "1: socket-mode: has no effect: only for Unix sockets with a path that are bound here",
          "15: socket-mode: expected permissions in octal digits such as \"0660\", found \"\"",
        ]
      ),
      (
        "user = 65534",
        [
          "8: user: expected the name or the number of a user such as \"nobody\", optionally followed by :GROUP, "
            + "found 65534; write \"65534\""
        ]
      ),
      ("user = \"no-such-user\"", ["8: user: no user \"no-such-user\" on this machine"]),
      ("group = \"no-such-group\"", ["9: group: no group \"no-such-group\" on this machine"]),
      (
        "socket-user = \"no-such-user\"",
        [
          "1: socket-user: has no effect: only for Unix sockets with a path that are bound here",
          "15: socket-user: no user \"no-such-user\" on this machine",
        ]
      ),
      (
        "socket-group = \"4294967295\"",
        [
          "1: socket-group: has no effect: only for Unix sockets with a path that are bound here",
          "16: socket-group: no group \"4294967295\" on this machine",
        ]
      ),
      (
        "listen-datagram = 13",
        ["19: listen-datagram: expected a list of addresses such as [\"127.0.0.1:2345\"], found 13; write [\"13\"]"]
      ),
      (
        "listen-datagram = [7]",
        ["20: listen-datagram: expected an address in quotes such as \"127.0.0.1:2345\", found 7; write \"7\""]
      ),
      (
        "listen-datagram = \"localhost:80\"", ["19: listen-datagram: expected an address, not a name: \"localhost:80\""]
      ),
      ("fortune.offensive = true", ["9: fortune.offensive: echo tells no fortunes"]),
      ("fortune = 1", ["11: fortune: expected a table, found 1"]),
    ] as [(String, [String]?)])
  func saysWhatIsWrongWithAKey(line: String, messages: [String]?) {
    let problems = Configuration.problems("[service.x]\n\(ConfigurationProblemTests.good)\(line)\n")
    if let messages {
      #expect(problems == messages.map { located($0, line: 4, in: "service.x.") })
    } else {
      #expect(problems.count == 1 && problems[0].hasPrefix("t.toml:4:"), "\(problems)")
    }
  }

  @Test(
    "says what is wrong with a file",
    arguments: [
      ("[sevice.x]", ["1:2: sevice: unknown key; did you mean service?"]),
      ("service = 3", ["1:11: service: expected a table, found 3"]),
      ("[[service]]", ["1:3: service: expected a table, found a list"]),
      ("\nservice.x = 3", ["2:13: service.x: expected a table, found 3"]),
      (
        "[daemon]\nlog-level = \"inof\"",
        [
          "2:13: daemon.log-level: expected one of trace, debug, info, notice, warning, error, critical, found \"inof\"; did you mean info?"
        ]
      ),
      (
        "[daemon]\nlog-target = true",
        ["2:14: daemon.log-target: expected one of auto, stderr, journal, syslog, file, found true"]
      ),
      (
        "[daemon]\ndrain-timeout = \"soon\"",
        ["2:17: daemon.drain-timeout: expected a duration such as \"30s\" or \"10m\", found \"soon\""]
      ),
      ("[daemon]\nsocket = \"/x\"", ["2:1: daemon.socket: unknown key"]),
      (
        "[defaults]\nbacklog = \"1\"",
        ["2:11: defaults.backlog: expected an integer from 1 to 65535, found \"1\"; write 1 without quotes"]
      ),
      ("[service.x]\nserve = \"echo\"", ["1:10: service.x: expected listen-stream or listen-datagram with an address"]),
      (
        "[service.x]\nserve = \"echo\"\nlisten-stream = []",
        ["1:10: service.x: expected listen-stream or listen-datagram with an address"]
      ),
      (
        "[service.x]\nlisten-stream = \"7\"",
        [
          "1:10: service.x: expected serve, one of hello, fortune, daytime, time, echo, discard, chargen, command, status, haproxy-agent, or exec, a program's path and arguments"
        ]
      ),
      (
        "[service.x]\nlisten-stream = \"7\"\nserve = \"helo\"",
        [
          "3:9: service.x.serve: expected one of hello, fortune, daytime, time, echo, discard, chargen, command, status, haproxy-agent, found \"helo\"; did you mean hello?"
        ]
      ),
      (
        "[service.x]\nserve = \"hello\"\nlisten-datagram = \"7\"",
        ["3:1: service.x.listen-datagram: hello takes no datagrams"]
      ),
      (
        "[service.x]\nserve = \"command\"\nlisten-stream = \"7\"\nlisten-datagram = \"7\"",
        ["4:1: service.x.listen-datagram: command takes no datagrams"]
      ),
      (
        "[service.1x]\n\(good)",
        [
          "1:10: service.1x: expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"
        ]
      ),
      (
        "[service.\"\"]\n\(good)",
        [
          "1:10: service.\"\": expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"
        ]
      ),
      (
        "[service.a]\n\(good)[service.b]\n\(good)",
        [
          "6:17: service.b.listen-stream: 0.0.0.0:7 is also at t.toml:3:17",
          "6:17: service.b.listen-stream: [::]:7 is also at t.toml:3:17",
        ]
      ),
      (
        "[service.a]\nserve = \"time\"\nlisten-stream = [\"/x\"]\nlisten-datagram = [\"/x\"]",
        ["4:20: service.a.listen-datagram: /x is also at t.toml:3:18"]
      ),
      (
        "[service.a]\nserve = \"fortune\"\nlisten-stream = \"17\"\n[service.a.fortune]\nmaxlength = 1\nmax-length = 0",
        [
          "5:1: service.a.fortune.maxlength: unknown key; did you mean max-length?",
          "6:14: service.a.fortune.max-length: expected an integer of at least 1, found 0",
        ]
      ),
      (
        "[service.a]\nserve = \"fortune\"\nlisten-stream = \"17\"\nfortune.databases = [\"x\", \"/nonexistent/y\"]",
        [
          "4:22: service.a.fortune.databases: expected the absolute path of a file or directory such as \"/usr/share/games/fortunes\", found \"x\"",
          "4:27: service.a.fortune.databases: /nonexistent/y: No such file or directory",
        ]
      ),
    ] as [(String, [String])])
  func saysWhatIsWrongWithAFile(text: String, problems: [String]) {
    #expect(Configuration.problems(text) == problems.map { "t.toml:" + $0 })
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
        "t.toml:2:8: defaults.user: no user \"no-such-user\" on this machine",
        "t.toml:5:18: service.a.listen-stream: expected an address, not a name: \"localhost:7\"",
        "t.toml:5:33: service.a.listen-stream: expected a port from 0 to 65535 or a tcp name of /etc/services, found \"x\"",
        "t.toml:9:1: service.b.bakclog: unknown key; did you mean backlog?",
      ])
  }

  @Test("says which capabilities a setting needs that begatd has not")
  func saysWhatIsLacking() {
    let text =
      "[service.a]\nserve = \"echo\"\nlisten-stream = \"/run/x\"\nuser = \"root\"\ngroup = \"root\"\nsocket-user = \"root\"\n"
    #expect(
      Configuration.problems(text, user: 1000) == [
        "t.toml:4:8: service.a.user: serving as root needs CAP_SETUID and CAP_SETGID, which this begatd (user 1000) "
          + "lacks; grant them or remove the key",
        "t.toml:5:9: service.a.group: serving with group 0 needs CAP_SETUID and CAP_SETGID, which this begatd (user "
          + "1000) lacks; grant them or remove the key",
        "t.toml:6:15: service.a.socket-user: a socket for root needs CAP_CHOWN, which this begatd (user 1000) lacks; "
          + "grant it or remove the key",
      ])
    #expect(Configuration.problems(text) == [])
  }

  @Test(
    "points at syntax errors",
    arguments: [
      ("[daemon", 1), ("\n\n a = = 1", 3), ("é = 1", 1), ("\n[%t]", 2), ("# ü\n [[ é ]]", 2), ("a = \n[%t]", 1),
      ("a = 'ü\\u0000' b", 1), ("a = 1\na = 2", 2), ("a = 9223372036854775808", 1), ("a = \"x", 1), ("a", 1),
    ])
  func pointsAtSyntaxErrors(text: String, line: Int) throws {
    do throws(ConfigurationProblems) {
      _ = try Configuration.sample(text)
      Issue.record("was taken")
    } catch {
      #expect(error.problems.count == 1 && error.problems[0].place?.line == line, "\(error)")
      #expect(error.problems[0].key == nil && error.problems[0].description.hasPrefix("t.toml:\(line):"))
    }
  }

  @Test("knows the word of another super-server, and a key of another table")
  func knowsOtherWords() {
    #expect(
      Configuration.problems("[service.x]\n\(ConfigurationProblemTests.good)instances = 3\ndrain-timeout = \"1s\"") == [
        "t.toml:4:1: service.x.instances: unknown key; xinetd's instances is max-connections here",
        "t.toml:5:1: service.x.drain-timeout: unknown key here; it belongs to [daemon]",
      ])
    #expect(
      Configuration.problems("[daemon]\nbacklog = 3\n[service.x]\n\(ConfigurationProblemTests.good)") == [
        "t.toml:2:1: daemon.backlog: unknown key here; it belongs to [service.NAME] or [defaults]"
      ])
  }

  @Test("takes no dot in quotes for a table")
  func takesNoQuotedDot() {
    let problems = Configuration.problems("[service.x]\n\(ConfigurationProblemTests.good)\"source-prefix.ipv4\" = 8")
    #expect(problems.count == 1 && problems[0].hasPrefix("t.toml:4:1: service.x.\"source-prefix.ipv4\": unknown key"))
  }
}
