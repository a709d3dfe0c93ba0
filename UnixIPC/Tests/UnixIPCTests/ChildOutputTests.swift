import Testing

@Suite(.timeLimit(.minutes(30))) struct ChildOutputTests {
  @Test("is read line by line, with a status at the end")
  func isRead() throws { try ProbeProgram.check("pipe-reading") }

  @Test("is an error where the program cannot be executed")
  func isAnError() throws { try ProbeProgram.check("pipe-missing") }
}
