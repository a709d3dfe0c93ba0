import Testing

@testable import Clients

@Suite struct ConversationStepTests {
  private func steps(_ words: String...) throws -> [ConversationStep] {
    try ConversationStep.inOrder(words, optionsWithValue: ["--timeout", "--log", "--send", "--expect"])
  }

  @Test("keep the order of the command line")
  func keepTheirOrder() throws {
    #expect(
      try steps(
        "--quiet", "--expect", "a", "--send=b\\n", "--timeout", "--line", "--line", "--send-file", "f",
        "--send-environment", "N", "--expect-regex", "x=y", "--end", "--expect-end", "--", "cat", "--send", "no")
        == [
          .expect([0x61]), .send([0x62, 10]), .line, .sendFile("f"), .sendEnvironment("N"), .expectRegex("x=y"), .end,
          .expectEnd,
        ])
  }

  @Test("take whatever is behind them")
  func takeWhatIsBehind() throws {
    #expect(
      try steps("--expect", "--send", "--send", "--", "--end") == [
        .expect(Array("--send".utf8)), .send([45, 45]), .end,
      ])
    #expect(try steps("--expect=a=b") == [.expect(Array("a=b".utf8))])
    #expect(try steps("--log=--send", "--log", "--end", "--", "x") == [])
  }

  @Test(
    "are refused",
    arguments: [
      ["--expect", ""], ["--expect-regex", "["], ["--expect-regex", ""], ["--send", "\\q"], ["--expect-end", "--end"],
    ])
  func areRefused(words: [String]) {
    #expect(throws: ConversationStep.Problem.self) { try ConversationStep.inOrder(words, optionsWithValue: []) }
  }

  @Test("show why they failed, and not what was sent")
  func showWhyTheyFailed() {
    let late = StepFailure(number: 2, step: .expect([0x61, 10]), reason: .late(.seconds(10), seen: [27]))
    #expect(late.text(nil) == "step 2, --expect \"a\\x0a\": it has not come after 10s; last came: \"\\x1b\"")
    let refused = StepFailure(number: 1, step: .send(Array("secret".utf8)), reason: .refused)
    #expect(refused.text(.exited(code: 1)) == "step 1, --send: the program takes no more input (exit 1)")
  }
}
