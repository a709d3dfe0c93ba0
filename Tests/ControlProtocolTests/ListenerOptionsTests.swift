import TestSupport
import Testing

@testable import ControlProtocol

@Suite struct ListenerOptionsTests {
  @Test("are read as they were rendered")
  func areReadAgain() throws {
    var random = SeededRandom(state: 2)
    for _ in 0..<3000 {
      let options = ListenerOptions.random(using: &random)
      #expect(try ListenerOptions(parsing: options.arguments) == options, "\(options.arguments)")
    }
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
      (["--bogus"], "--bogus: unknown option; see --help"), (["--"], "--: unknown option; see --help"),
      (["--Serve", "echo"], "--Serve: unknown option; see --help"),
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
      "0", "1", "-1", "99999999999999999999", "none", "yes", "echo", "/a", "@", "1,2", "\0", "é", "10s", "=",
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

extension ListenerOptions {
  fileprivate static func random(using random: inout SeededRandom) -> ListenerOptions {
    func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
    func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number {
      Number.random(in: 0...(.max), using: &random)
    }
    func descriptor() -> CInt { CInt.random(in: 0...(.max), using: &random) }
    func duration() -> Duration { .milliseconds(Int64.random(in: 1...100_000_000, using: &random)) }
    func text() -> String {
      ["a", "--serve", "x=y", "", "é ", "@", "/p q", "none", "\n"].randomElement(using: &random)!
    }
    func texts() -> [String] { (0..<Int.random(in: 0...3, using: &random)).map { _ in text() } }

    var options = ListenerOptions()
    options.name = ["", "a", "time-2", "A_b", "9"].randomElement(using: &random)!
    options.serve = maybe(BuiltIn.allCases.randomElement(using: &random)!)
    options.sockets = (0..<Int.random(in: 0...3, using: &random)).map { _ in descriptor() }
    options.listenStream = texts()
    options.listenDatagram = texts()
    options.backlog = CInt.random(in: 1...65535, using: &random)
    options.maxConnections = Int.random(in: 1...1_000_000, using: &random)
    options.firstByteTimeout = maybe(duration())
    options.idleTimeout = maybe(duration())
    options.drainTimeout = maybe(duration()) ?? .zero
    options.resolveNames = Bool.random(using: &random)
    options.log = ConnectionLog.allCases.randomElement(using: &random)!
    options.user = maybe(number(UInt32.self))
    options.group = maybe(number(UInt32.self))
    options.groups = (0..<Int.random(in: 0...3, using: &random)).map { _ in number(UInt32.self) }
    options.databases = texts()
    options.offensive = Bool.random(using: &random)
    options.maxLength = maybe(Int.random(in: 1...(.max), using: &random))
    options.stdio = Bool.random(using: &random)
    options.channel = maybe(descriptor())
    options.scoreboard = maybe(descriptor())
    options.names = maybe(descriptor())
    options.nameRequests = maybe(descriptor())
    options.help = Bool.random(using: &random)
    options.version = Bool.random(using: &random)
    return options
  }
}
