import Testing

@testable import Settings

/// What begat-listener says about a wrong command line, word for word.
@Suite struct ListenerOptionProblemTests {
  private static let size = "expected a size above 0 such as \"64M\", or a number of bytes, found "
  private static let limit = "expected a duration above 0 such as \"30s\", or \"none\", found "
  private static let rate = "expected a rate such as \"50/s\" or \"100/m burst 10\", or \"none\", found "
  private static let line = "expected one line of 1 to 500 bytes without control characters, found "
  private static let device =
    "expected an interface's name of 1 to 15 bytes without / and white space, such as \"eth0\", found "
  private static let name = "expected 1 to 64 letters, digits, - and _, a letter first, found "
  private static let umask = "expected permissions in octal digits such as \"0027\", found "
  private static let command = "expected a command's name of 1 to 32 lower-case letters, digits, - and _"
  private static let program =
    "expected a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"], found "

  @Test(
    "says what was expected instead",
    arguments: [
      (
        ["--serve", "finger"],
        "--serve: expected one of hello, fortune, daytime, time, echo, discard, chargen, command, status, haproxy-agent, found \"finger\""
      ),
      (
        ["--serve=eco"],
        "--serve: expected one of hello, fortune, daytime, time, echo, discard, chargen, command, status, haproxy-agent, found \"eco\"; did you mean echo?"
      ),
      (["--name", ""], "--name: \(name)\"\""),
      (["--name", "a\n\u{1b}[31m"], "--name: \(name)\"a\\x0a\\x1b[31m\""),
      (["--socket", "-1"], "--socket: expected an integer from 3 to 2147483647, found \"-1\""),
      (["--socket", "2147483648"], "--socket: expected an integer from 3 to 2147483647, found \"2147483648\""),
      (["--socket", "2"], "--socket: expected an integer from 3 to 2147483647, found \"2\""),
      (["--backlog", "0"], "--backlog: expected an integer from 1 to 65535, found \"0\""),
      (["--backlog", "65536"], "--backlog: expected an integer from 1 to 65535, found \"65536\""),
      (
        ["--max-connections", "1000001"], "--max-connections: expected an integer from 1 to 1000000, found \"1000001\""
      ),
      (["--first-byte-timeout", "0s"], "--first-byte-timeout: \(limit)\"0s\""),
      (["--idle-timeout", "10"], "--idle-timeout: \(limit)\"10\"; did you mean \"10s\"?"),
      (["--drain-timeout", "none"], "--drain-timeout: expected a duration such as \"30s\" or \"10m\", found \"none\""),
      (
        ["--user", ""],
        "--user: expected the name or the number of a user such as \"nobody\", optionally followed by :GROUP, "
          + "found \"\""
      ),
      (["--groups", "1,2"], "--groups: expected an integer from 0 to 4294967294, found \"1,2\""),
      (["--fortune.max-length", "0"], "--fortune.max-length: expected an integer of at least 1, found \"0\""),
      (["--channel", ""], "--channel: expected an integer from 3 to 2147483647, found \"\""),
      (
        ["--name-requests", "\u{663}"],
        "--name-requests: expected an integer from 3 to 2147483647, found \"\\xd9\\xa3\""
      ),
      (["--resolve-names=yes"], "--resolve-names: expected true or false, found \"yes\"; write true"),
      (["--log", "all"], "--log: expected one of connections, open, problems, none, found \"all\""),
      (["--log=\u{1b}[2J"], "--log: expected one of connections, open, problems, none, found \"\\x1b[2J\""),
      (["--stdio=yes"], "--stdio: expected true or false, found \"yes\"; write true"),
      (["--help="], "--help: expected true or false, found \"\""),
      (["--serve"], "--serve: its value WORD is missing"),
      (["--stdio", "--socket"], "--socket: its value N is missing"),
      (["--environment.A"], "--environment.A: its value TEXT is missing"),
      (["--bogus"], "--bogus: unknown key; see --help"), (["--=x"], "--: unknown key; see --help"),
      (["--\u{1b}[2J"], "--\\x1b[2J: unknown key; see --help"),
      (["--Serve", "echo"], "--Serve: unknown key; did you mean serve?"),
      (["--exec", "/bin/cat"], "--exec: the program stands behind --"),
      (["--environment", "A=b"], "--environment: write --environment.NAME TEXT"),
      (["--bind-to-device", ""], "--bind-to-device: \(device)\"\""),
      (["--bind-to-device", "sixteen-bytes-16"], "--bind-to-device: \(device)\"sixteen-bytes-16\""),
      (["--rate", "0/s"], "--rate: \(rate)\"0/s\""),
      (["--rate-per-source", "5"], "--rate-per-source: \(rate)\"5\"; did you mean \"5/s\"?"),
      (["--source-prefix.ipv4", "33"], "--source-prefix.ipv4: expected an integer from 1 to 32, found \"33\""),
      (["--source-prefix", "32,64"], "--source-prefix: unknown key; did you mean source-prefix.ipv4?"),
      (["--when-full", "drop"], "--when-full: expected one of wait, refuse, found \"drop\""),
      (["--refusal", "a\nb"], "--refusal: \(line)\"a\\x0ab\""), (["--refusal", ""], "--refusal: \(line)\"\""),
      (["--max-duration", "0s"], "--max-duration: \(limit)\"0s\""),
      (["--relay=1"], "--relay: expected true or false, found \"1\"; write true"),
      (
        ["--environment.1A", "x"],
        "--environment.1A: expected a variable's name of letters, digits and _, no digit first"
      ),
      (
        ["--environment.PROTO=x"],
        "--environment.PROTO: begat sets variables of this name itself: they tell programs who the client is"
      ),
      (["--environment.", "x"], "--environment.: expected a variable's name of letters, digits and _, no digit first"),
      (
        ["--working-directory", "usr"],
        "--working-directory: expected the absolute path of a directory such as \"/srv\", found \"usr\""
      ),
      (["--umask", "8"], "--umask: \(umask)\"8\""), (["--umask", "1000"], "--umask: \(umask)\"1000\""),
      (["--nice", "20"], "--nice: expected an integer from -20 to 19, found \"20\""),
      (["--nice", "+1"], "--nice: expected an integer from -20 to 19, found \"+1\""),
      (["--limit-memory", "0"], "--limit-memory: \(size)\"0\""),
      (
        ["--limit-cpu", "5"],
        "--limit-cpu: expected a duration of whole seconds such as \"10s\" or \"5m\", found \"5\"; did you mean \"5s\"?"
      ),
      (["--limit-open-files", "-1"], "--limit-open-files: expected an integer of at least 1, found \"-1\""),
      (
        ["--commands.quit", "/bin/true"],
        "--commands.quit: the command server has a command of this name itself; choose another"
      ),
      (["--commands.a", "b"], "--commands.a: \(program)\"b\" as its path"),
      (["--commands.A", "/b"], "--commands.A: \(command); use a: clients may type it in any case"),
      (["--datagram-port", "65536"], "--datagram-port: expected an integer from 1 to 65535, found \"65536\""),
      (["echo"], "\"echo\": not an option; a program stands behind --; see --help"),
      (["-h"], "\"-h\": not an option; a program stands behind --; see --help"),
      (["a\nb"], "\"a\\x0ab\": not an option; a program stands behind --; see --help"),
      ([""], "\"\": not an option; a program stands behind --; see --help"),
      (["--"], "--: \(program)an empty list"), (["--", "cat"], "--: \(program)\"cat\" as its path"),
    ])
  func saysWhatWasExpected(words: [String], problem expected: String) {
    do throws(ListenerOptionProblem) {
      _ = try ListenerOptions.parse(words)
      Issue.record("was taken: \(words)")
    } catch { #expect(error.description == expected) }
  }
}
