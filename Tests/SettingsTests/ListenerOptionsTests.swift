import Admission
import TestSupport
import Testing
import UnixIPC

@testable import Settings

@Suite struct ListenerOptionsTests {
  @Test("are read as they were rendered")
  func areReadAgain() throws {
    var random = SeededRandom(state: 2)
    for _ in 0..<3000 {
      let options = ListenerOptions.random(using: &random)
      #expect(try ListenerOptions(parsing: options.arguments) == options, "\(options.arguments)")
    }
  }

  @Test("are read as they were rendered where not one of them is the default")
  func areAllReadAgain() throws {
    var options = ListenerOptions()
    options.name = "n"
    options.serve = .command
    options.program.words = ["/bin/cat", "--", "-u", "", "--serve"]
    options.program.environment = ["A=1", "B=", "C=x=y"]
    options.program.workingDirectory = "/usr"
    options.program.umask = 0o7
    options.program.nice = -20
    options.program.limitMemory = 64 << 20
    options.program.limitCPU = 1
    options.program.limitOpenFiles = .max
    options.program.limitProcesses = 3
    options.relay = true
    options.wait = true
    options.commands = [
      AddedCommand(name: "uptime", words: ["/usr/bin/uptime"]),
      AddedCommand(name: "x", words: ["/a=b", "", "--command", "=", "y=/z"]), AddedCommand(name: "z", words: ["/z"]),
    ]
    options.sockets = [3, 9]
    options.listenStream = ["[::1]:1"]
    options.listenDatagram = ["@d"]
    options.bindOptions = BindOptions(isFree: true, device: "lo")
    options.backlog = 1
    options.admission.allow = [try #require(AccessPeer("2001:db8::/32")), .anyUser]
    options.admission.deny = [.user(7), try #require(AccessPeer("192.0.2.7"))]
    options.admission.maxConnections = 1
    options.admission.maxConnectionsPerSource = 2
    options.admission.rate = RateLimit("50/s burst 100")
    options.admission.ratePerSource = RateLimit("20/m")
    options.admission.sourcePrefix = SourcePrefix(ipv4: 1, ipv6: 128)
    options.admission.whenFull = .refuse
    options.refusal = "Sorry,  too many."
    options.firstByteTimeout = .seconds(1)
    options.idleTimeout = nil
    options.maxDuration = .milliseconds(1500)
    options.drainTimeout = .zero
    options.keepAlive = false
    options.resolveNames = false
    options.log = .none
    options.user = 0
    options.group = .max
    options.groups = [1, 2]
    options.databases = ["/d"]
    options.offensive = true
    options.maxLength = 1
    options.datagramPorts = [7, 65535]
    options.stdio = true
    options.channel = 4
    options.scoreboard = 5
    options.names = 6
    options.nameRequests = 7
    options.help = true
    options.version = true
    // Whoever adds a setting adds it here too.
    for (mine, usual) in [
      (Mirror(reflecting: options), Mirror(reflecting: ListenerOptions())),
      (Mirror(reflecting: options.program), Mirror(reflecting: ProgramSettings())),
      (Mirror(reflecting: options.admission), Mirror(reflecting: AdmissionLimits())),
      (Mirror(reflecting: options.bindOptions), Mirror(reflecting: BindOptions())),
    ] {
      // Ports are not shared: clients of a service are told apart by nothing else.
      for (one, other) in zip(mine.children, usual.children) where one.label != "isShared" {
        #expect("\(one.value)" != "\(other.value)", "\(one.label ?? "") is the default")
      }
    }
    #expect(try ListenerOptions(parsing: options.arguments) == options, "\(options.arguments)")
    // Each is needed.
    for (index, word) in options.arguments.enumerated() where word.hasPrefix("--") && word != "--" {
      guard options.arguments[..<index].last != "--command-argument", !options.arguments[..<index].contains("--") else {
        continue
      }
      var fewer = options.arguments
      let isFlag = ListenerOption.all.contains { "--" + $0.name == word && $0.placeholder == nil }
      fewer.removeSubrange(index..<(index + (isFlag ? 1 : 2)))
      #expect((try? ListenerOptions(parsing: fewer)) != options, "without \(word)")
    }
  }

  @Test("end at two hyphens, after which stands the program")
  func endAtTwoHyphens() throws {
    let options = try ListenerOptions(parsing: ["--name", "a", "--", "/bin/cat", "--name", "b", "--", "-x", ""])
    #expect(options.name == "a" && options.program.words == ["/bin/cat", "--name", "b", "--", "-x", ""])
    #expect(try ListenerOptions(parsing: ["--"]).program.words == [])
    // As a value they are one.
    #expect(try ListenerOptions(parsing: ["--refusal", "--", "--stdio"]).refusal == "--")
  }

  @Test("gather a command's arguments behind it")
  func gatherCommands() throws {
    let options = try ListenerOptions(
      parsing: [
        "--command", "a=/bin/a", "--command-argument", "-x", "--command-argument=", "--name", "n", "--command", "b=/b",
        "--command-argument", "b=/c",
      ])
    #expect(
      options.commands == [
        AddedCommand(name: "a", words: ["/bin/a", "-x", ""]), AddedCommand(name: "b", words: ["/b", "b=/c"]),
      ])
  }

  @Test("of datagrams have a rate where none is set, and never wait")
  func haveDatagramLimits() throws {
    var options = ListenerOptions()
    #expect(options.datagramAdmission.rate == .datagrams && options.datagramAdmission.whenFull == .refuse)
    #expect(options.datagramAdmission.ratePerSource == .datagramsPerSource)
    options.admission.rate = RateLimit("1/s")
    options.admission.ratePerSource = RateLimit("2/s")
    options.admission.deny = [.anyUser]
    #expect(options.datagramAdmission.rate == RateLimit("1/s"))
    #expect(options.datagramAdmission.ratePerSource == RateLimit("2/s") && options.datagramAdmission.deny == [.anyUser])
  }

  @Test("are read with an equals sign too")
  func areReadWithEquals() throws {
    let words = ["--serve=echo", "--listen-stream=@a=b", "--databases=", "--idle-timeout=none", "--resolve-names=no"]
    let options = try ListenerOptions(parsing: words)
    #expect(options.serve == .echo && options.listenStream == ["@a=b"] && options.databases == [""])
    #expect(options.idleTimeout == nil && !options.resolveNames)
  }

  @Test("are rendered only where they differ from the default")
  func areRendered() throws {
    #expect(ListenerOptions().arguments == [])
    #expect(try ListenerOptions(parsing: []) == ListenerOptions())
    var options = ListenerOptions()
    options.idleTimeout = nil
    options.stdio = true
    #expect(options.arguments == ["--stdio", "--idle-timeout", "none"])
  }

  @Test("gather what may be repeated, and take the last of the rest")
  func areRepeated() throws {
    let options = try ListenerOptions(
      parsing: ["--socket", "3", "--socket", "4", "--backlog", "5", "--backlog", "6", "--groups", "1,2"])
    #expect(options.sockets == [3, 4] && options.backlog == 6 && options.groups == [1, 2])
  }

  @Test(
    "say what was expected instead",
    arguments: [
      (["--serve", "finger"], "--serve finger: expected one of \(BuiltIn.names)"),
      (["--name", ""], "--name : expected 1 to 64 letters, digits, - and _"),
      (["--name", "a\n\u{1b}[31m"], "--name a\\x0a\\x1b[31m: expected 1 to 64 letters, digits, - and _"),
      (["--socket", "-1"], "--socket -1: expected a descriptor's number"),
      (["--socket", "2147483648"], "--socket 2147483648: expected a descriptor's number"),
      (["--backlog", "0"], "--backlog 0: expected a number from 1 to 65535"),
      (["--backlog", "65536"], "--backlog 65536: expected a number from 1 to 65535"),
      (["--max-connections", "0"], "--max-connections 0: expected a number from 1 to 1000000"),
      (["--max-connections", "1000001"], "--max-connections 1000001: expected a number from 1 to 1000000"),
      (["--first-byte-timeout", "0s"], "--first-byte-timeout 0s: expected a time such as 10s, or none"),
      (["--idle-timeout", "10"], "--idle-timeout 10: expected a time such as 10m, or none"),
      (["--drain-timeout", "none"], "--drain-timeout none: expected a time such as 30s"),
      (["--user", "nobody"], "--user nobody: expected a user's number (begatd takes names)"),
      (["--group", "4294967296"], "--group 4294967296: expected a group's number (begatd takes names)"),
      (["--groups", "1,,2"], "--groups 1,,2: expected groups' numbers with commas between"),
      (["--max-length", "0"], "--max-length 0: expected a number of bytes"),
      (["--max-length", "x"], "--max-length x: expected a number of bytes"),
      (["--channel", ""], "--channel : expected a descriptor's number"),
      (["--scoreboard", "x"], "--scoreboard x: expected a descriptor's number"),
      (["--names", "3.0"], "--names 3.0: expected a descriptor's number"),
      (["--name-requests", "٣"], "--name-requests \\xd9\\xa3: expected a descriptor's number"),
      (["--resolve-names", "true"], "--resolve-names true: expected yes or no"),
      (["--log", "all"], "--log all: expected one of connections, problems, none"),
      (["--log=\u{1b}[2J"], "--log \\x1b[2J: expected one of connections, problems, none"),
      (["--stdio=yes"], "--stdio takes no value"), (["--help="], "--help takes no value"),
      (["--serve"], "--serve: its value SERVICE is missing"),
      (["--stdio", "--socket"], "--socket: its value FD is missing"),
      (["--bogus"], "--bogus: unknown option; see --help"), (["--=x"], "--: unknown option; see --help"),
      (["--Serve", "echo"], "--Serve: unknown option; see --help"),
      (["--bind-to-device", ""], "--bind-to-device : expected an interface's name"),
      (["--bind-to-device", "sixteen-bytes-16"], "--bind-to-device sixteen-bytes-16: expected an interface's name"),
      (["--free-bind", "on"], "--free-bind on: expected yes or no"),
      (
        ["--max-connections-per-source", "0"],
        "--max-connections-per-source 0: expected a number from 1 to 1000000"
      ),
      (["--rate", "0/s"], "--rate 0/s: expected a rate such as 50/s or \"50/s burst 100\""),
      (["--rate-per-source", "5"], "--rate-per-source 5: expected a rate such as 20/s or 100/m"),
      (["--source-prefix", "0,64"], "--source-prefix 0,64: expected two numbers, at most 32 and 128"),
      (["--source-prefix", "33,64"], "--source-prefix 33,64: expected two numbers, at most 32 and 128"),
      (["--source-prefix", "32,129"], "--source-prefix 32,129: expected two numbers, at most 32 and 128"),
      (["--source-prefix", "32"], "--source-prefix 32: expected two numbers, at most 32 and 128"),
      (["--source-prefix", "1,2,3"], "--source-prefix 1,2,3: expected two numbers, at most 32 and 128"),
      (["--when-full", "drop"], "--when-full drop: expected wait or refuse"),
      (["--refusal", "a\nb"], "--refusal a\\x0ab: expected a line of text"),
      (["--refusal", ""], "--refusal : expected a line of text"),
      (["--allow", "192.0.2.1/24"], "--allow 192.0.2.1/24: expected a network, unix:UID or unix:*"),
      (["--allow", "unix:root"], "--allow unix:root: expected a network, unix:UID or unix:*"),
      (["--deny", ""], "--deny : expected a network, unix:UID or unix:*"),
      (["--max-duration", "0s"], "--max-duration 0s: expected a time such as 1h, or none"),
      (["--relay", "1"], "--relay 1: expected yes or no"), (["--wait", ""], "--wait : expected yes or no"),
      (["--environment", "A"], "--environment A: expected NAME=VALUE"),
      (["--environment", "=x"], "--environment =x: expected NAME=VALUE"),
      (["--environment", "1A=x"], "--environment 1A=x: expected NAME=VALUE"),
      (["--environment", "PROTO=x"], "--environment PROTO=x: expected NAME=VALUE"),
      (["--environment", "LISTEN_FDS=1"], "--environment LISTEN_FDS=1: expected NAME=VALUE"),
      (["--working-directory", "usr"], "--working-directory usr: expected an absolute path"),
      (["--umask", "8"], "--umask 8: expected octal digits, at most 0777"),
      (["--umask", "1000"], "--umask 1000: expected octal digits, at most 0777"),
      (["--umask", "-0"], "--umask -0: expected octal digits, at most 0777"),
      (["--umask", "+7"], "--umask +7: expected octal digits, at most 0777"),
      (["--umask", ""], "--umask : expected octal digits, at most 0777"),
      (["--nice", "20"], "--nice 20: expected a number from -20 to 19"),
      (["--nice", "-21"], "--nice -21: expected a number from -20 to 19"),
      (["--nice", "--1"], "--nice --1: expected a number from -20 to 19"),
      (["--nice", "+1"], "--nice +1: expected a number from -20 to 19"),
      (["--limit-memory", "0"], "--limit-memory 0: expected a size such as 64M"),
      (["--limit-memory", "64MB"], "--limit-memory 64MB: expected a size such as 64M"),
      (["--limit-cpu", "0"], "--limit-cpu 0: expected a number of seconds"),
      (["--limit-open-files", "-1"], "--limit-open-files -1: expected a number"),
      (["--limit-processes", "18446744073709551616"], "--limit-processes 18446744073709551616: expected a number"),
      (
        ["--command", "quit=/bin/true"],
        "--command quit=/bin/true: expected NAME=/PATH, the name in lower case and none of the built-in ones"
      ),
      (
        ["--command", "a=b"], "--command a=b: expected NAME=/PATH, the name in lower case and none of the built-in ones"
      ),
      (["--command", "a"], "--command a: expected NAME=/PATH, the name in lower case and none of the built-in ones"),
      (["--command-argument", "x"], "--command-argument x: expected an argument, after --command"),
      (["--datagram-port", "65536"], "--datagram-port 65536: expected a port"),
      (["echo"], "echo: not an option; see --help"), (["-h"], "-h: not an option; see --help"),
      (["a\nb"], "a\\x0ab: not an option; see --help"), ([""], ": not an option; see --help"),
    ])
  func sayWhatWasExpected(words: [String], problem expected: String) {
    do throws(ListenerOptions.Problem) {
      _ = try ListenerOptions(parsing: words)
      Issue.record("was taken: \(words)")
    } catch { #expect(error.description == expected) }
  }

  @Test("never crash on any words")
  func neverCrash() {
    var random = SeededRandom(state: 3)
    let names = ListenerOption.all.map { "--" + $0.name } + ["--", "-", "", "="]
    let values = [
      "0", "1", "-1", "5/s", "unix:*", "a=/b", "A=b", "64M", "8,9", "077", "::/0", "99999999999999999999", "none",
      "yes", "echo", "/a", "@", "1,2", "\0", "é", "10s", "=",
    ]
    for _ in 0..<20_000 {
      let words = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        let name = names.randomElement(using: &random)!
        let value = values.randomElement(using: &random)!
        return [name, value, "\(name)=\(value)"].randomElement(using: &random)!
      }
      guard let options = try? ListenerOptions(parsing: words) else { continue }
      // What was taken can be handed on.
      #expect((try? ListenerOptions(parsing: options.arguments)) == options, "\(words)")
    }
  }
}
