import Testing

@Suite(.timeLimit(.minutes(30))) struct ConversationGroupTests {
  @Test("tells which of its conversations has written something or has ended")
  func tellsWhich() throws { try ProbeProgram.check("conversation-group") }
}
