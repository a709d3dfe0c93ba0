import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct CommandWordsTests {
  @Test(
    "are cut as a shell cuts them",
    arguments: [
      ("true", ["true"]), ("  a   b\tc\n", ["a", "b", "c"]), ("printf 'a b\\n'", ["printf", "a b\\n"]),
      ("a\"b c\"d", ["ab cd"]), ("'' x", ["", "x"]), ("\"a\\\"b\\\\c\\n\"", ["a\"b\\c\\n"]), ("a\\ b", ["a b"]),
      ("'it'\\''s'", ["it's"]), ("é 'ü'", ["é", "ü"]), ("x '|;$*' \"<>\" \\&", ["x", "|;$*", "<>", "&"]),
      ("\"\\$x\\`\" '$`~'", ["$x`", "$`~"]), ("a~ b#c {} '{a,b}' {a}", ["a~", "b#c", "{}", "{a,b}", "{a}"]),
    ])
  func areCut(text: String, words: [String]) throws {
    #expect(try CommandWords.split(text) == words)
    // The shell itself agrees.
    let shell = try Program(path: "/bin/sh", arguments: ["-c", "printf '%s\\0' \(text)"]).capture(limit: 1000)
    #expect(String(decoding: shell.output, as: UTF8.self) == words.map { $0 + "\0" }.joined())
  }

  @Test(
    "are refused where only a shell could do what is meant",
    arguments: [
      ("", CommandWords.SplitError.empty), (" \t", .empty), ("a | b", .needsShell("|")), ("a;b", .needsShell(";")),
      ("echo $HOME", .needsShell("$")), ("ls *", .needsShell("*")), ("a > b", .needsShell(">")),
      ("`id`", .needsShell("`")), ("a &", .needsShell("&")), ("'a", .unfinishedQuote("'")),
      ("echo \"$HOME\"", .needsShell("$")), ("echo \"`id`\"", .needsShell("`")), ("ls ~root", .needsShell("~")),
      ("echo {a,b}", .needsShell("{")), ("echo {1..3}", .needsShell("{")), ("echo #x", .needsShell("#")),
      ("a\nb", .needsShell("\n")), ("\"a'", .unfinishedQuote("\"")), ("a\\", .unfinishedQuote("\\")),
    ])
  func areRefused(text: String, refusal: CommandWords.SplitError) {
    #expect(failure { () throws(CommandWords.SplitError) in try CommandWords.split(text) } == refusal)
  }
}
