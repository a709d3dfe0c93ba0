import Testing

@testable import Settings

@Suite struct ListSyntaxTests {
  private let syntax = Syntax<[String]>.list(of: "addresses", .address)

  @Test("is a list, or one element alone")
  func isAList() throws {
    syntax.expect(["7"], from: .list([.string("7")]), word: "7")
    syntax.expect(["7"], from: .string("7"), word: "7")
    syntax.expect([], from: .list([]), word: "")
    let both = [RawValue.string("7"), .string("@x")]
    #expect(try syntax.read(.list(both)) == ["7", "@x"])
    #expect(try syntax.read(.list([.word("7"), .word("@x")])) == ["7", "@x"])
    #expect(syntax.render(["7", "@x"]) == .list(both))
  }

  @Test("finds everything that is wrong with its elements, and where")
  func findsEverything() {
    do throws(ValueProblems) {
      _ = try syntax.read(.list([.string("7"), .integer(8), .string(""), .boolean(true)]))
      Issue.record("was taken")
    } catch {
      let expected = "expected an address in quotes such as \"127.0.0.1:2345\", found "
      #expect(error.problems.map(\.path) == [[.element(1)], [.element(2)], [.element(3)]])
      #expect(error.problems.map(\.message) == [expected + "8; write \"8\"", expected + "\"\"", expected + "true"])
    }
  }

  @Test("is nothing else", arguments: [.integer(7), .boolean(true), .table([]), .other(kind: "a date")] as [RawValue])
  func isNothingElse(raw: RawValue) {
    let complaints = syntax.complaints(about: raw)
    #expect(
      complaints.count == 1
        && complaints[0].hasPrefix("expected a list of addresses such as [\"127.0.0.1:2345\"], found "))
  }

  @Test("of numbers has numbers")
  func hasNumbers() throws {
    let syntax = Syntax<[UInt16]>.list(of: "ports", .integer(in: 1...UInt16.max))
    syntax.expect([7], from: .list([.integer(7)]), word: "7")
    syntax.expectRefusal(of: .list([.integer(0)]), word: "0")
    syntax.expectRefusal(of: .list([.string("7")]), word: "7,8")
  }
}

@Suite struct ProgramSyntaxTests {
  private let syntax = Syntax<[String]>.program

  @Test("is a path and arguments of any text")
  func isAPath() throws {
    syntax.expect(["/bin/cat"], from: .list([.string("/bin/cat")]), word: "/bin/cat")
    let words = ["/bin/a b", "", "--", "-x", "\n", "\"", "é"]
    #expect(try syntax.read(.list(words.map { .string($0) })) == words)
    #expect(try syntax.read(.list(words.map { .word($0) })) == words)
  }

  @Test("finds everything that is wrong with its words")
  func findsEverything() {
    do throws(ValueProblems) {
      _ = try syntax.read(.list([.string("cat"), .integer(8), .string("-u"), .string("\0"), .boolean(true)]))
      Issue.record("was taken")
    } catch { #expect(error.problems.map(\.path) == [[.element(0)], [.element(1)], [.element(3)], [.element(4)]]) }
  }

  @Test("is nothing else")
  func isNothingElse() {
    syntax.expectRefusal(of: .list([.string("cat")]), word: "cat")
    syntax.expectRefusal(of: .list([.string("")]), word: "")
    syntax.expectRefusal(of: .list([.string("/bin/cat\u{0}")]), word: "/bin/cat\u{0}")
    for raw in [
      RawValue.list([]), .string("/bin/cat"), .list([.string("/bin/cat"), .integer(1)]), .table([]), .integer(1),
      .list([.string("/bin/cat"), .string("\u{0}")]), .list([.list([.string("/bin/cat")])]),
    ] { #expect((try? syntax.read(raw)) == nil, "\(raw)") }
  }
}

@Suite struct EnvironmentSyntaxTests {
  private let syntax = Syntax<[EnvironmentVariable]>.environment

  private func read(_ name: String, _ value: RawValue) -> EnvironmentVariable? {
    (try? syntax.read(.table([RawValue.Member(name, value)])))?.first
  }

  @Test("has variables in the order of the text")
  func hasVariables() throws {
    let variables = [
      EnvironmentVariable("Z", "a=b c"), EnvironmentVariable("_a1", ""), EnvironmentVariable("LANG", "é"),
    ]
    let raw = try #require(syntax.render(variables))
    #expect(try syntax.read(raw) == variables)
    for variable in variables {
      #expect(read(variable.name, .word(variable.value)) == variable)
      #expect(read(variable.name, .string(variable.value)) == variable)
    }
  }

  @Test(
    "refuses names that a program cannot have, and those that describe the client",
    arguments: ["", "9A", "A-B", "A B", "É", "PROTO", "TCPREMOTEIP", "IPCREMOTEEUID", "REMOTE_ADDR", "LISTEN_FDS"])
  func refusesNames(name: String) { #expect(read(name, .string("x")) == nil && read(name, .word("x")) == nil) }

  @Test("refuses values that are no line of text", arguments: ["a\nb", "\u{0}", "a\u{0}"])
  func refusesValues(value: String) {
    #expect(read("A", .string(value)) == nil && read("A", .word(value)) == nil)
    #expect(read("A", .integer(1)) == nil && read("A", .list([.word("a"), .word("b")])) == nil)
  }

  @Test("refuses a variable that no program could be started with")
  func refusesLongVariables() {
    let longest = String(repeating: "x", count: EnvironmentVariable.maxEntryLength - 2)
    #expect(read("A", .string(longest))?.value == longest)
    #expect(read("A", .string(longest + "x")) == nil)
    #expect(
      syntax.complaints(about: .table([RawValue.Member("A", .string(String(repeating: "x", count: 900_000)))])) == [
        "expected at most 131071 bytes with the name, found 900002: no program could be started"
      ])
  }
}

@Suite struct CommandsSyntaxTests {
  private let syntax = Syntax<[AddedCommand]>.commands

  private func read(_ name: String, _ value: RawValue) -> AddedCommand? {
    (try? syntax.read(.table([RawValue.Member(name, value)])))?.first
  }

  @Test("has programs by name")
  func hasPrograms() throws {
    let disk = AddedCommand(name: "disk", words: ["/bin/df", "-h"])
    #expect(read("disk", .list([.string("/bin/df"), .string("-h")])) == disk)
    #expect(read("disk", .list([.word("/bin/df"), .word("-h")])) == disk)
    #expect(read("d", .word("/bin/df")) == AddedCommand(name: "d", words: ["/bin/df"]))
    #expect(try syntax.read(try #require(syntax.render([disk]))) == [disk])
  }

  @Test("refuses other names and programs")
  func refusesOthers() {
    for name in ["Disk", "a b", "", "quit", "Quit"] { #expect(read(name, .list([.string("/bin/df")])) == nil) }
    for value in [RawValue.list([]), .list([.string("df")]), .integer(1), .string("/bin/df -h")] {
      #expect(read("disk", value) == nil)
    }
    #expect(read("disk", .word("df")) == nil)
  }
}
