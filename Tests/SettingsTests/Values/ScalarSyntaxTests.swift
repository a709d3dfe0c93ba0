import Testing
@_spi(Begat) import UnixCore

@testable import Settings

@Suite struct BooleanSyntaxTests {
  private let syntax = Syntax<Bool>.boolean

  @Test("is true or false, without quotes in a file")
  func isTrueOrFalse() {
    syntax.expect(true, from: .boolean(true), word: "true")
    syntax.expect(false, from: .boolean(false), word: "false")
    #expect(
      syntax.complaints(about: .string("true")) == ["expected true or false, found \"true\"; write true without quotes"]
    )
  }

  @Test(
    "is nothing else", arguments: ["", "yes", "no", "on", "off", "1", "0", "TRUE", "True", "true ", "t", "tru\u{0}"])
  func isNothingElse(text: String) {
    syntax.expectRefusal(of: .string(text), word: text)
    for raw in [RawValue.integer(1), .integer(0), .list([.boolean(true)]), .table([]), .other(kind: "a date")] {
      #expect((try? syntax.read(raw)) == nil)
    }
  }
}

@Suite struct IntegerSyntaxTests {
  private let syntax = Syntax<CInt>.integer(in: -20...19)

  @Test("is a number of its range", arguments: [-20, -1, 0, 7, 19] as [CInt])
  func isANumber(number: CInt) { syntax.expect(number, from: .integer(Int64(number)), word: "\(number)") }

  @Test("is no number outside of its range", arguments: [-21, 20, .max, .min, 4_294_967_296] as [Int64])
  func isInItsRange(number: Int64) { syntax.expectRefusal(of: .integer(number), word: "\(number)") }

  @Test(
    "is nothing else",
    arguments: [
      "", "-", "+1", "1.0", "0x1", "1e1", " 1", "1 ", "--1", "\u{663}", "1_0", "one", "99999999999999999999", "1\u{0}",
    ])
  func isNothingElse(text: String) { syntax.expectRefusal(of: .string(text), word: text) }

  @Test("states a bound only if a value can lie beyond it")
  func statesBounds() {
    #expect(syntax.expectation == "an integer from -20 to 19")
    #expect(Syntax<Int>.integer(in: 1...Int.max).expectation == "an integer of at least 1")
    #expect(Syntax<UInt64>.integer(in: 1...UInt64(Int64.max)).expectation == "an integer of at least 1")
    #expect(Syntax<UInt16>.integer(in: 1...UInt16.max).expectation == "an integer from 1 to 65535")
    #expect(Syntax<CInt>.integer(in: 3...CInt.max).expectation == "an integer from 3 to 2147483647")
  }
}

@Suite struct ChoiceSyntaxTests {
  @Test("is one of the words", arguments: BuiltIn.allCases)
  func isAWord(builtIn: BuiltIn) {
    Syntax<BuiltIn>.choice.expect(builtIn, from: .string(builtIn.rawValue), word: builtIn.rawValue)
  }

  @Test("is nothing else", arguments: ["", "Echo", "echo ", "finger", "echo\u{0}"])
  func isNothingElse(text: String) { Syntax<BuiltIn>.choice.expectRefusal(of: .string(text), word: text) }

  @Test("has few words in a synopsis, and all of them in a message")
  func hasWords() {
    #expect(Syntax<ConnectionLog>.choice.placeholder == "connections|open|problems|none")
    #expect(Syntax<BuiltIn>.choice.placeholder == "WORD")
    #expect(
      Syntax<ConnectionLog>.choice.complaints(about: .string("problem")) == [
        "expected one of connections, open, problems, none, found \"problem\"; did you mean problems?"
      ])
  }
}

@Suite struct TextSyntaxTests {
  private static let syntaxes: [String: Syntax<String>] = [
    "path": .absolutePath(of: "a directory", example: "/srv"), "line": .line, "interface": .interface,
    "account": .account("group", example: "adm"), "user": .user(example: "nobody"), "name": .serviceName,
    "address": .address, "peer": .peer,
  ]

  @Test(
    "is read",
    arguments: [
      ("path", "/"), ("path", "/a b/\"c\""), ("line", "x"), ("line", " \u{e9} "), ("line", "--"),
      ("interface", "eth0.1"),
      ("interface", "fifteen-bytes-x"), ("account", "nobody"), ("account", "65534"), ("account", "a b"), ("name", "a"),
      ("user", "nobody"), ("user", "1000:1000"), ("user", "a:b"),
      ("name", "Time-2_x"), ("address", "@x"), ("address", "127.0.0.1:7"), ("peer", "unix:*"), ("peer", "::/0"),
    ])
  func isRead(name: String, text: String) throws {
    try #require(TextSyntaxTests.syntaxes[name]).expect(text, from: .string(text), word: text)
  }

  @Test(
    "is nothing else",
    arguments: [
      ("path", ""), ("path", "srv"), ("path", "~/x"), ("path", "/\u{0}"), ("line", ""), ("line", "a\nb"),
      ("line", "a\u{1b}[2J"), ("line", "a\u{9b}b"), ("line", "\u{7f}"), ("line", "a\u{0}"), ("interface", ""),
      ("interface", "sixteen-bytes-xx"), ("interface", "a/b"), ("interface", "a b"), ("interface", ".."),
      ("interface", "."), ("account", ""), ("account", "a:b"), ("account", "a\nb"), ("account", "a\u{0}"), ("name", ""),
      ("user", ""), ("user", "a:"), ("user", ":b"), ("user", "a:b:c"), ("user", "a\nb"),
      ("name", "9"), ("name", "a.b"), ("name", "-a"), ("name", "\u{e9}"), ("name", "a b"), ("address", ""),
      ("address", "/x\u{0}"), ("peer", ""), ("peer", "unix:a\u{0}"),
    ])
  func isNothingElse(name: String, text: String) throws {
    try #require(TextSyntaxTests.syntaxes[name]).expectRefusal(of: .string(text), word: text)
  }

  @Test("takes 500 bytes of a line, and 64 of a name")
  func takesTheLongest() {
    let line = String(repeating: "\u{e9}", count: 250)
    Syntax<String>.line.expect(line, from: .string(line), word: line)
    Syntax<String>.line.expectRefusal(of: .string(line + "x"), word: line + "x")
    let name = String(repeating: "n", count: 64)
    Syntax<String>.serviceName.expect(name, from: .string(name), word: name)
    Syntax<String>.serviceName.expectRefusal(of: .string(name + "n"), word: name + "n")
  }

  @Test("is in quotes in a file", arguments: syntaxes.keys.sorted())
  func isInQuotes(name: String) throws {
    let syntax = try #require(TextSyntaxTests.syntaxes[name])
    for raw in [RawValue.integer(1), .boolean(true), .list([.string("/a")]), .table([]), .other(kind: "a date")] {
      #expect((try? syntax.read(raw)) == nil, "\(raw)")
    }
  }
}
