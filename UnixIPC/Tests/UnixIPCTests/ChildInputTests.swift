import Testing

@Suite(.timeLimit(.minutes(30))) struct ChildInputTests {
  @Test("is written, with a status at the end")
  func isWritten() throws { try ProbeProgram.check("pipe-writing") }

  @Test("is an error, never a signal, where the reader is dead")
  func isAnError() throws { try ProbeProgram.check("pipe-dead-reader") }

  @Test("keeps its deadline though the reader never pauses")
  func keepsItsDeadline() throws { try ProbeProgram.check("bound-busy-reader") }
}
