import Testing

@testable import Clients

@Suite struct CommandLineWordsTests {
  @Test(
    "puts -- before the command, and shows the parser its first word",
    arguments: [
      (["run", "ls", "-l"], ["run", "--", "ls"], 2), (["run", "--", "ls", "-l"], ["run", "--", "ls"], 2),
      (["run", "--timeout", "5", "ls"], ["run", "--timeout", "5", "--", "ls"], 1),
      (["run", "--timeout=5", "ls"], ["run", "--timeout=5", "--", "ls"], 1), (["run"], ["run"], 0),
      (["run", "--"], ["run", "--"], 0), (["run", "-", "x"], ["run", "--", "-"], 2),
      (["sem", "take", "7", "ls", "-l"], ["sem", "take", "7", "--", "ls"], 2),
      (["sem", "take", "--timeout", "5", "7"], ["sem", "take", "--timeout", "5", "7"], 0),
      (["pipe", "--send", "--", "cat", "-u"], ["pipe", "--send=--", "--", "cat"], 2),
      (["pipe", "--expect", "--", "--", "cat"], ["pipe", "--expect=--", "--", "cat"], 1),
      (["interact", "--send", "--line", "--line", "cat"], ["interact", "--send", "--line", "--line", "--", "cat"], 1),
      (["run", "-k", "5", "ls", "--", "-k"], ["run", "-k", "5", "--", "ls"], 3),
    ])
  func command(typed: [String], parsed: [String], length: Int) {
    let words = CommandLineWords(typed)
    #expect(words.parsed == parsed && words.commandLength == length && words.operands.isEmpty)
    #expect(words.marked.suffix(length) == typed.suffix(length))
  }

  @Test("keeps all but the first operands from the parser, and all options")
  func operands() {
    let numbers = (1...10_000).map(String.init)
    let words = CommandLineWords(["alive", "--wait"] + numbers + ["--timeout", "5"])
    #expect(words.parsed == ["alive", "--wait"] + numbers.prefix(100) + ["--timeout", "5"])
    #expect(words.operands == Array(numbers.dropFirst(100)) && words.commandLength == 0)
    let signal = CommandLineWords(["signal", "TERM", "--"] + numbers)
    #expect(signal.parsed == ["signal", "TERM", "--"] + numbers.prefix(100))
    #expect(signal.operands == Array(numbers.dropFirst(100)))
  }

  @Test("shows the parser no source of cat")
  func sources() {
    let words = CommandLineWords(["cat", "a", "--file", "--", "-", "--no-commands", "--", "--file"])
    #expect(words.parsed == ["cat", "--file=--", "--no-commands"])
  }

  @Test(
    "leaves all other lines alone", arguments: [[], ["check", "--", "x"], ["--help"], ["sem"], ["sem", "give", "7"]])
  func others(typed: [String]) {
    let words = CommandLineWords(typed)
    #expect(words.form == nil && words.parsed == typed && words.marked == typed)
  }
}
