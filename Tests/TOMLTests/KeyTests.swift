import TOML
import Testing

@Suite struct KeyTests {
  @Test(
    "takes bare, quoted and dotted keys",
    arguments: [
      ("a", ["a"]), ("1-_A", ["1-_A"]), ("\"a b\"", ["a b"]), ("'a\\n'", ["a\\n"]), ("\"\\u0000\"", ["\0"]),
      ("\"\"", [""]), ("a.b", ["a", "b"]), ("a . \t'b.c' .\"d\"", ["a", "b.c", "d"]), ("3.14", ["3", "14"]),
    ])
  func takesKeys(key: String, path: [String]) throws {
    for text in ["\(key) = 1", "[x]\n\(key) = 1", "x = {\(key) = 1}", "[\(key)]", "[[ \(key) ]]"] {
      var value = try parse(text).entries[0].value
      var names = [try parse(text).entries[0].key.name]
      while let entry = value.table?.entries.first {
        names.append(entry.key.name)
        value = entry.value
      }
      #expect(names == (text.contains("x") && path[0] != "x" && names[0] == "x" ? ["x"] : []) + path)
    }
  }

  @Test(
    "says what is wrong with a key",
    arguments: [
      Slip("= 1", "1:1: a key is missing before this \"=\""),
      Slip("a", "1:2: = and a value are missing after the key"),
      Slip("a # = 1\nb = 1", "1:3: = and a value are missing after the key"),
      Slip("max-connections 5", "1:17: = is missing between key and value; write max-connections = 5"),
      Slip("user nobody # x", "1:6: = is missing between key and value; write user = \"nobody\""),
      Slip("enabled true", "1:9: = is missing between key and value; write enabled = true"),
      Slip("exec [\"/bin/cat\"]", "1:6: = is missing between key and value; write exec = [\"/bin/cat\"]"),
      Slip("a \"b\" = 1", "1:3: = is missing between key and value"),
      Slip("key: value", "1:4: write = between key and value, not :"),
      Slip("key := 1", "1:5: write = between key and value, not :"),
      Slip("max connections = 5", "1:5: a key contains no spaces; write max-connections"),
      Slip("größe = 1", "1:3: a key with characters other than A-Z a-z 0-9 - _ must be in quotes: \"größe\""),
      Slip("é = 1", "1:1: a key with characters other than A-Z a-z 0-9 - _ must be in quotes: \"é\""),
      Slip("a/b = 1", "1:2: a key with characters other than A-Z a-z 0-9 - _ must be in quotes: \"a/b\""),
      Slip("\"a\"b = 1", "1:4: \"b\" does not belong after a key"),
      Slip("“a” = 1", "1:1: write \" or ' for a quote, not “"),
      Slip("a\u{a0}= 1", "1:2: U+00A0 cannot be seen; write an ordinary space"),
      Slip("a = 1\n\u{feff}b = 1", "2:1: U+FEFF cannot be seen; write an ordinary space"),
      Slip(".a = 1", "1:1: a part of the key is missing before this dot"),
      Slip("a..b = 1", "1:3: a part of the key is missing before this dot"),
      Slip("a. = 1", "1:4: a part of the key is missing after the dot"),
      Slip("\"\"\"a\"\"\" = 1", "1:1: a key stays on one line, between single quotes"),
      Slip(
        "\"a = 1\nb = 2",
        "1:1: this \" is not closed on its line; write \" at the end of the text, or \"\"\" around several lines"),
      Slip("}", "1:1: a key cannot begin with \"}\""),
      Slip("// comment", "1:1: comments begin with #, not //"),
      Slip("a = 1\n  ; comment", "2:3: comments begin with #, not ;"),
      Slip("a\0 = 1", "1:2: U+0000 (NUL) does not belong here; remove it"),
    ])
  func saysWhatIsWrong(slip: Slip) { #expect(fault(slip.text) == slip.fault) }

  @Test(
    "says what is wrong with a header",
    arguments: [
      Slip("a = 1\n[b\nc = 1", "2:1: this [ is not closed; write ] after the table's name"),
      Slip("[[b\nc = 1", "1:1: this [[ is not closed; write ]] after the table's name"),
      Slip("[b = 1", "1:1: this [ is not closed; write ] after the table's name"),
      Slip("[b # x", "1:1: this [ is not closed; write ] after the table's name"),
      Slip("[[b]\n", "1:4: ]] closes what [[ opened, without blanks between"),
      Slip("[b]]\n", "1:4: one ] too many after the table's name"),
      Slip("[ [b]]\n", "1:3: a header begins with one or two [, without blanks between"),
      Slip("[]", "1:2: the table's name is missing after ["),
      Slip("[a.]", "1:4: a part of the key is missing after the dot"),
      Slip("[service hello]", "1:10: dots separate the parts of a name: [service.hello]"),
      Slip("[[service \"x\"]]", "1:11: dots separate the parts of a name: [[service.\"x\"]]"),
      Slip("[a/b]", "1:3: a key with characters other than A-Z a-z 0-9 - _ must be in quotes: \"a/b\""),
      Slip("[a] b = 1", "1:5: only a comment may follow a header; write keys on lines of their own"),
      Slip("[a] // b", "1:5: comments begin with #, not //"),
    ])
  func saysWhatIsWrongWithAHeader(slip: Slip) { #expect(fault(slip.text) == slip.fault) }
}
