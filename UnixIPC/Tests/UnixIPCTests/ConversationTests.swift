import Testing

@Suite(.timeLimit(.minutes(30))) struct ConversationTests {
  @Test("goes line by line with cat and bc")
  func goesLineByLine() throws { try ProbeProgram.check("conversation") }

  @Test("is 64 MiB each way, byte for byte")
  func isOfAnySize() throws { try ProbeProgram.check("conversation-large", "64") }

  @Test("goes over three full pipes")
  func goesOverThreePipes() throws { try ProbeProgram.check("conversation-three") }

  @Test("ends with its program")
  func endsWithItsProgram() throws { try ProbeProgram.check("conversation-ends") }

  @Test("looks at each byte of a long line once")
  func looksOnce() throws { try ProbeProgram.check("bound-long-line") }

  @Test("finishes with the program, whoever has its output open")
  func finishesWithTheProgram() throws { try ProbeProgram.check("bound-finish") }

  @Test("does not try forever what the kernel refuses")
  func doesNotTryForEver() throws { try ProbeProgram.check("bound-poll") }
}
