import TOML
import Testing

@Suite struct ValueTests {
  @Test("takes arrays of any values, over lines, with comments and a last comma")
  func takesArrays() throws {
    let values = try #require(try parse("a = [ # one\n  1, [ ], \"x\" # two\n , {b=1}\r\n,\n]  # three")["a"]?.array)
    #expect(values.count == 4)
    #expect(values[2].string == "x")
    #expect(values[3]["b"]?.integer == 1)
  }

  @Test("takes a comment immediately after any value", arguments: ["1", "true", "inf", "'x'", "[]", "{}", "07:32:00"])
  func takesAComment(text: String) { #expect(fault("a = \(text)#x\r\nb=\(text)\n") == "") }

  @Test(
    "says what to write instead",
    arguments: [
      Slip("serve = hello", "1:9: text stands in quotes: \"hello\""),
      Slip("serve = hello world # x", "1:9: text stands in quotes: \"hello world\""),
      Slip("a = [hello world, x]", "1:6: text stands in quotes: \"hello world\""),
      Slip("a = {b = hello}", "1:10: text stands in quotes: \"hello\""),
      Slip("a = hello\"", "1:5: text stands in quotes: \"hello\""),
      Slip("a = say \"hi\"", "1:5: text stands in quotes: 'say \"hi\"'"),
      Slip("a = hello;", "1:5: text stands in quotes: \"hello\""),
      Slip("a = C:\\x", "1:5: text stands in quotes: 'C:\\x'"),
      Slip("a = /usr/bin/x", "1:5: text stands in quotes: \"/usr/bin/x\""),
      Slip("a = none", "1:5: text stands in quotes: \"none\""),
      Slip(
        "a = " + String(repeating: "x", count: 61),
        "1:5: text stands in quotes: \"\(String(repeating: "x", count: 60))...\""),
      Slip("enabled = yes", "1:11: write true or false, not yes"),
      Slip("a = [On, 1]", "1:6: write true or false, not On"),
      Slip("a = {b = TRUE}", "1:10: write true or false, not TRUE"),
      Slip("a = False # x", "1:5: write true or false, not False"),
      Slip("a = no\nb = off", "1:5: write true or false, not no"),
      Slip("a = null", "1:5: TOML has no null; leave the key out"),
      Slip("a = “x”", "1:5: write \" or ' for a quote, not “"),
      Slip("a = ‘x’", "1:5: write \" or ' for a quote, not ‘"),
      Slip("a = `x`", "1:5: write \" or ' for a quote, not `"),
      Slip("a =\nb = 1", "1:4: a value is missing after ="),
      Slip("a = # 1", "1:5: a value is missing after ="),
      Slip("a =", "1:4: a value is missing after ="),
      Slip("a == 1", "1:4: one = is enough"),
      Slip("a = [1,,2]", "1:8: a value is missing before this \",\""),
      Slip("a = ]", "1:5: a value is missing before this \"]\""),
      Slip("a = \u{200b}1", "1:5: U+200B cannot be seen; write an ordinary space"),
      Slip("a = x\u{1b}[31m", "1:6: U+001B does not belong here; remove it"),
      Slip("a = \r1", "1:5: U+000D (a carriage return without a line feed) does not belong here; remove it"),
    ])
  func saysWhatToWrite(slip: Slip) { #expect(fault(slip.text) == slip.fault) }

  @Test(
    "says what must not follow a value",
    arguments: [
      Slip("a = \"x\" y", "1:9: only a comment may follow a value; found \"y\""),
      Slip("a = 5 apples", "1:7: only a comment may follow a value; text with spaces stands in quotes"),
      Slip("a = \"x\" b = 1", "1:9: a key needs a line of its own"),
      Slip("a = \"x\" // y", "1:9: comments begin with #, not //"),
      Slip("a = 1 ; y", "1:7: comments begin with #, not ;"),
      Slip("a = \"x\";", "1:8: a line does not end with \";\""),
      Slip("a = 1,", "1:6: a line does not end with \",\""),
      Slip("a = 1, 2", "1:6: several values need brackets: [\"a\", \"b\"]"),
      Slip("a = \"x\" \"y\"", "1:9: several values need brackets: [\"a\", \"b\"]"),
      Slip("a = 'it's'", "1:9: the text ended at the ' before this; put text that contains ' between \"...\""),
      Slip("a = \"say \"hi\"\"", "1:11: the text ended at the quote before this; write \\\" for a quote within it"),
      Slip("a = [\"x\"]]", "1:10: nothing is open that this \"]\" could close"),
      Slip("a = 1 \u{7}", "1:7: U+0007 does not belong here; remove it"),
      Slip("a = \"x\"\r", "1:8: U+000D (a carriage return without a line feed) does not belong here; remove it"),
      Slip("# a\u{1}", "1:4: a comment cannot contain U+0001; remove it"),
      Slip("a = [ # x\0\n]", "1:10: a comment cannot contain U+0000 (NUL); remove it"),
    ])
  func saysWhatMustNotFollow(slip: Slip) { #expect(fault(slip.text) == slip.fault) }

  private static let openArray = "this [ is never closed; write ] after the last value"
  private static let openBraces =
    "this { is not closed on its line; write } after the last value, or make a table with a [header]"

  @Test(
    "finds the bracket that is not closed, and the comma that is missing",
    arguments: [
      Slip("a = [1,", "1:5: \(openArray)"),
      Slip("a = [1\n", "1:5: \(openArray)"),
      Slip("a = [\"x\",\nb = 1", "1:5: \(openArray)"),
      Slip("a = [\"x\"\nb.c = 1", "1:5: \(openArray)"),
      Slip("a = [\"x\",\n[service.x]\nb = 1", "1:5: \(openArray)"),
      Slip("a = [\"x\"\n[[service.x]]\nb = 1", "1:5: \(openArray)"),
      Slip("a = [\"x\",\n\n  [[service.x]] # y\nb = 1", "1:5: \(openArray)"),
      Slip("a = [\n [1, 2\n]\nb = 1", "1:5: \(openArray)"),
      Slip("a = {b = 1", "1:5: \(openBraces)"),
      Slip("a = {b = 1,\n c = 2}", "1:5: \(openBraces)"),
      Slip("a = {", "1:5: \(openBraces)"),
      Slip("a = {b = {c = 1 # }}", "1:10: \(openBraces)"),
      Slip("a = [1}", "1:7: ] is missing before this \"}\""),
      Slip("a = {b = 1]", "1:11: } is missing before this \"]\""),
      Slip("a = [\"x\" \"y\"]", "1:10: a comma is missing before this value"),
      Slip("a = [\n  \"x\"\n  \"y\"\n]", "3:3: a comma is missing before this value"),
      Slip("a = [1 2]", "1:8: a comma is missing before this value"),
      Slip("a = {b = 1 c = 2}", "1:12: a comma is missing before this key"),
      Slip("a = [\"x, \"y\"]", "1:11: the text ended at the quote before this; write \\\" for a quote within it"),
      Slip("a = {b = 'it's'}", "1:14: the text ended at the ' before this; put text that contains ' between \"...\""),
      Slip("a = {b = 1,}", "1:12: a comma must not precede }"),
      Slip("a = {b 1}", "1:8: = is missing between key and value"),
      Slip("a = [\"x\"; \"y\"]", "1:9: a comma separates values, not ;"),
      Slip("a = [1 : 2]", "1:8: \":\" found where a comma or ] belongs"),
    ])
  func findsBrackets(slip: Slip) { #expect(fault(slip.text) == slip.fault) }
}
