import Testing

@testable import Clients

@Suite struct CatSourceTests {
  @Test(
    "are taken in the order in which they were typed",
    arguments: [
      (["f1", "cmd1 x|", "-", "f2"], [CatSource.file("f1"), .command("cmd1 x"), .standardInput, .file("f2")]),
      ([], [.standardInput]), (["--file", "x|", "y|"], [.file("x|"), .command("y")]),
      (["a", "--file=-", "b"], [.file("a"), .file("-"), .file("b")]),
      (["--", "--file", "-", "c|"], [.file("--file"), .standardInput, .command("c")]),
      (["--file", "--", "a"], [.file("--"), .file("a")]), (["|"], [.command("")]),
    ])
  func areInOrder(words: [String], sources: [CatSource]) {
    #expect(CatSource.inOrder(words.map { Array($0.utf8) }, runningCommands: true) == sources)
  }

  @Test("are never commands where none is wanted")
  func areNeverCommands() {
    let words = ["--no-commands", "x|", "-", "--file", "--no-commands"].map { Array($0.utf8) }
    let sources = CatSource.inOrder(words, runningCommands: false)
    #expect(sources == [.file("x|"), .standardInput, .file("--no-commands")])
  }
}
