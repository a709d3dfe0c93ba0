import Testing

@Suite(.timeLimit(.minutes(30))) struct ProcessTitleTests {
  @Test("is what ps shows, cut to its room, and the environment stays")
  func isShown() throws { try ProbeProgram.check("title", "some", "arguments", "") }
}
