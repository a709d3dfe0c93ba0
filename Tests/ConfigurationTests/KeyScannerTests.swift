import Testing

@testable import Configuration

@Suite struct KeyScannerTests {
  private static let text = #"""
    # [commented.out]
    top = 1

    [service.hello] # a comment
    serve = "hello" # serve = "x"
    listen-stream = [
      "127.0.0.1:1", # ] not the end
      "a = 1 ]",
    ]
    a.b = { c = 1, "d e" = [ { f = 2 } ] }
    text = """
    [not.a.table]
    not-a-key = 1 \""" still
    """"
    raw = '''
    also-not = 1
    ''' # end
    after = 'x'
    [ service . "odd \u0041" . 'plain' ]
    key = 0x1f
    "quoted.key" = -inf
    [[array]]
    first = 1
    [[array]]
    second = 2
    """#

  @Test(
    "finds the lines of keys",
    arguments: [
      (["top"], 2), (["service"], 4), (["service", "hello"], 4), (["service", "hello", "serve"], 5),
      (["service", "hello", "listen-stream"], 6), (["service", "hello", "a"], 10),
      (["service", "hello", "a", "b", "c"], 10),
      (["service", "hello", "a", "b", "d e", "f"], 10), (["service", "hello", "text"], 11),
      (["service", "hello", "raw"], 15), (["service", "hello", "after"], 18), (["service", "odd A", "plain"], 19),
      (["service", "odd A", "plain", "key"], 20), (["service", "odd A", "plain", "quoted.key"], 21), (["array"], 22),
      (["array", "first"], 23), (["array", "second"], 25), (["commented"], nil), (["not"], nil),
      (["service", "hello", "not-a-key"], nil), (["service", "hello", "also-not"], nil),
    ] as [([String], Int?)])
  func findsLines(path: [String], line: Int?) {
    #expect(KeyScanner(Array(KeyScannerTests.text.utf8)).lines[path] == line)
  }

  @Test("finds the lines of an array's elements, those inside them not counted")
  func findsElements() throws {
    let text = """
      a = [ "x",
        # "not",
        ["y",
         "z"], { b = [1,
        2] },

        \"\"\"
        long
      \"\"\", 'end' ]
      b = []
      """
    let scanner = KeyScanner(Array(text.utf8))
    #expect(scanner.elementLines[["a"]] == [1, 3, 4, 7, 9])
    #expect(scanner.elementLines[["a", "b"]] == [4, 5])
    #expect(scanner.elementLines[["b"]] == [])
    let document = try Document(file: "t", bytes: Array("\na = [\n1,\n2]\n".utf8))
    #expect(document.line(of: ["a"], element: 1) == 4)
    #expect(document.line(of: ["a"], element: 2) == 2)
    #expect(document.line(of: ["x"], element: 0) == 1)
  }

  @Test("counts lines that end with CR and LF")
  func countsCRLF() {
    let scanner = KeyScanner(Array("[a]\r\n\r\nb = [\r\n1]\r\nc = 2\r\n".utf8))
    #expect(scanner.lines[["a", "c"]] == 5)
  }

  @Test("falls back to the table")
  func fallsBack() throws {
    let document = try Document(file: "t", bytes: Array("\n[a.b]\nc = 1\n".utf8))
    #expect(document.line(of: ["a", "b", "c"]) == 3)
    #expect(document.line(of: ["a", "b", "x", "y"]) == 2)
    #expect(document.line(of: ["z"]) == 1)
  }

  @Test(
    "stops at what would harm the parser",
    arguments: [
      ("a = \"x\\u0000y\"", "a NUL in a string"), ("\"\\U00000000\" = 1", "a NUL in a string"),
      ("a = [}", "syntax error: expected a value; text stands in quotes"),
      ("a = [1, \u{2028}]", "syntax error: expected a value; text stands in quotes"),
      ("a = 1 0", "syntax error: expected the end of the value"),
      ("a = 1979-05-27", "syntax error: expected a value; text stands in quotes, and no key takes a date or a time"),
      ("a = 7:32x", "syntax error: expected a value; text stands in quotes, and no key takes a date or a time"),
      ("[%]", "syntax error: expected a table's name"), ("[.a]", "syntax error: expected a table's name"),
      ("[ [ = ]]", "syntax error: expected a table's name"), ("a = \"\"\"\n\\u0000\"\"\"", "a NUL in a string"),
      (String(repeating: "a.", count: 13) + "a = 1", "nested too deeply"),
      ("[" + String(repeating: "a.", count: 13) + "a]", "nested too deeply"),
      ("a = " + String(repeating: "[", count: 13), "nested too deeply"),
      ("a = " + String(repeating: "{a=", count: 13), "nested too deeply"),
      ("[a.a.a.a.a]\na.a.a = [[[[{a = 1", "nested too deeply"),
    ])
  func stops(text: String, message: String) {
    #expect(KeyScanner(Array(text.utf8)).hazard?.message == message)
  }

  @Test("leaves what is no escape alone", arguments: ["a = '\\u0000'", "# \\u0000", "a = \"\\\\u0000\""])
  func leavesOthers(text: String) {
    #expect(KeyScanner(Array(text.utf8)).hazard == nil)
  }
}
