import JSON
import Testing

/// The reader of JSON, whose input may be anything.
@Suite(.timeLimit(.minutes(30))) struct JSONReaderTests {
  private func read(_ text: String) throws(JSONReader.Problem) -> JSONValue { try JSONReader.read(Array(text.utf8)) }

  private func problem(_ bytes: [UInt8]) -> String? {
    do throws(JSONReader.Problem) {
      _ = try JSONReader.read(bytes)
      return nil
    } catch { return error.description }
  }

  @Test(
    "reads values",
    arguments: [
      ("null", .null), (" true ", .boolean(true)), ("false", .boolean(false)), ("0", .integer(0)),
      ("-17", .integer(-17)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", .number(1.5)), ("1e3", .number(1000)),
      ("-2.5E-1", .number(-0.25)), ("\"\"", .string("")), ("\"a\\n\\\"\\\\\\/\\u0041\"", .string("a\n\"\\/A")),
      ("\"\\ud83d\\ude00 ü\"", .string("😀 ü")), ("[]", .array([])),
      ("[1,[2]]", .array([.integer(1), .array([.integer(2)])])),
      ("{}", .object([])), ("{\"b\": 1,\t\"a\":null}", .object([.init("b", .integer(1)), .init("a", .null)])),
    ] as [(String, JSONValue)])
  func readsValues(text: String, value: JSONValue) throws { #expect(try read(text) == value) }

  @Test(
    "names the column of what is wrong",
    arguments: [
      ("", "column 1: expected a value, found the end"), ("{} x", "column 4: expected the end, found x"),
      ("[1 2]", "column 4: expected , or ], found 2"), ("[1,]", "column 4: expected a value, found ]"),
      ("{\"a\"}", "column 5: expected :, found }"), ("{\"a\":1 \"b\"}", "column 8: expected , or }, found \""),
      ("{a:1}", "column 2: expected a name in quotes, found a"), ("01", "column 3: a number that begins with 0"),
      ("-", "column 2: expected a digit, found the end"), ("1.", "column 3: expected a digit, found the end"),
      ("1e", "column 3: expected a digit, found the end"), ("1e999", "column 6: a number that is too large"),
      ("\"a", "column 3: a string without its end"),
      ("\"\\x\"", "column 3: an escape that JSON does not have, found x"),
      ("\"\\u12g4\"", "column 6: expected four hexadecimal digits, found g"),
      ("\"\\ud800\"", "column 8: half a surrogate pair"), ("\"\\udc00\"", "column 8: half a surrogate pair"),
      ("\"a\tb\"", "column 3: a control character in a string; write \\u0009"),
      ("{\"a\":1,\"a\":2}", "column 8: \"a\" is there twice"), ("tru", "column 1: expected a value, found t"),
      ("nul\u{1}", "column 1: expected a value, found n"), ("\u{1b}", "column 1: expected a value, found \\x1b"),
      (String(repeating: "1", count: 41), "column 42: a number that is too long"),
    ])
  func namesTheColumn(text: String, message: String) { #expect(problem(Array(text.utf8)) == message) }

  @Test(
    "refuses what is not UTF-8", arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]] as [[UInt8]])
  func refusesOtherEncodings(bytes: [UInt8]) {
    let text = [0x22] + bytes + [0x22]
    #expect(problem(text) == "column \(text.count): a string that is not UTF-8")
  }

  @Test("bounds depth and members")
  func boundsDepthAndMembers() throws {
    let deepest =
      String(repeating: "[", count: JSONReader.maxDepth) + String(repeating: "]", count: JSONReader.maxDepth)
    _ = try read(deepest)
    #expect(problem(Array(("[" + deepest + "]").utf8)) == "column 9: nested more than 8 deep")
    #expect(
      problem([UInt8](repeating: UInt8(ascii: "{"), count: 1 << 20)) == "column 2: expected a name in quotes, found {")
    #expect(problem([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)) == "column 9: nested more than 8 deep")
    let members = (0..<65).map { "\"\($0)\":0" }
    _ = try read("{" + members.dropLast().joined(separator: ",") + "}")
    #expect(
      problem(Array(("{" + members.joined(separator: ",") + "}").utf8))?.hasSuffix("more than 64 members in one object")
        == true)
  }

  @Test("writes what it reads, in printable ASCII")
  func writesWhatItReads() throws {
    let value = JSONValue.object([
      .init("text", .string("\u{1b}[2J\"\\\n\u{0}ü😀")),
      .init("numbers", .array([.integer(.min), .number(0.001), .number(1e300)])),
      .init("nothing", .null), .init("truth", .array([.boolean(true), .boolean(false)])), .init("empty", .object([])),
    ])
    #expect(value.text.utf8.allSatisfy { (0x20...0x7e).contains($0) })
    #expect(try read(value.text) == value)
    #expect(JSONValue.number(.infinity).text == "null")
  }
}
