import TOML
import Testing

@Suite struct StringTests {
  @Test(
    "takes text of four kinds",
    arguments: [
      (#""""#, ""), (#""a\tb""#, "a\tb"), (#""\b\n\f\r\"\\""#, "\u{8}\n\u{c}\r\"\\"),
      (#""\u00e9\U0001F600""#, "é😀"), ("\"\t#=[]é\"", "\t#=[]é"), (#"'C:\x'"#, #"C:\x"#), ("''", ""), ("'\"'", "\""),
      ("\"\"\"\"\"\"", ""), ("\"\"\"\nx\n\"\"\"", "x\n"), ("\"\"\"\r\nx\r\ny\"\"\"", "x\ny"),
      ("\"\"\"a\\\n   \n\t b\\  \r\n c\"\"\"", "abc"), ("\"\"\"\"a\"\"b\"\"\"\"\"", "\"a\"\"b\"\""),
      ("'''\n'a'\\\n'''", "'a'\\\n"), ("'''''a'''''", "''a''"), ("\"\"\"\n\n\"\"\"", "\n"),
    ])
  func takesText(text: String, meaning: String) throws {
    guard case .string(let string) = try value(text) else {
      Issue.record("no text")
      return
    }
    #expect(Array(string.utf8) == Array(meaning.utf8))
  }

  private static let open =
    "this \" is not closed on its line; write \" at the end of the text, or \"\"\" around several lines"
  private static let openLiteral =
    "this ' is not closed on its line; write ' at the end of the text, or ''' around several lines"

  @Test(
    "says what is wrong, where the text begins if it does not end",
    arguments: [
      Slip("a = \"x\nb = 1", "1:5: \(open)"),
      Slip("a = [\"x]\r\nb = \"y\"", "1:6: \(open)"),
      Slip("a = \"", "1:5: \(open)"),
      Slip("a = 'x\n", "1:5: \(openLiteral)"),
      Slip(
        "a = \"x\\\nb",
        "1:7: \\ before U+000A is no escape; write \\\\ for a backslash, or put the text between '...', where \\ is itself"
      ),
      Slip(
        "a = \"C:\\\"\n",
        "1:5: this \" is not closed: \\\" is a quote within the text; write '...', where \\ is itself, or \\\\"),
      Slip("a = \"\"\"x\n\"\"\nb = 1", "1:5: this \"\"\" is never closed; write \"\"\" at the end of the text"),
      Slip("a = '''x\n", "1:5: this ''' is never closed; write ''' at the end of the text"),
      Slip(
        "a = \"C:\\path\"",
        "1:8: \\p is no escape; write \\\\ for a backslash, or put the text between '...', where \\ is itself"),
      Slip(
        "a = \"\\ x\"",
        "1:6: \\ before U+0020 is no escape; write \\\\ for a backslash, or put the text between '...', where \\ is itself"
      ),
      Slip("a = \"é\\u12\"", "1:7: 4 hexadecimal digits follow \\u, as in \\u00e9"),
      Slip("a = \"\\U0011000g\"", "1:6: 8 hexadecimal digits follow \\U, as in \\U0001f600"),
      Slip("a = \"\\ud800\"", "1:6: \\ud800 is no character of Unicode"),
      Slip("a = \"\\Uffffffff\"", "1:6: \\Uffffffff is no character of Unicode"),
      Slip("a = \"x\0\"", "1:7: text cannot contain U+0000 (NUL) itself; write \\u0000 between \"...\""),
      Slip("a = '''\n\u{7f}'''", "2:1: text cannot contain U+007F itself; write \\u007f between \"...\""),
      Slip(
        "a = 'x\ry'",
        "1:7: text cannot contain U+000D (a carriage return without a line feed) itself; write \\u000d between \"...\""),
    ])
  func saysWhatIsWrong(slip: Slip) { #expect(fault(slip.text) == slip.fault) }
}
