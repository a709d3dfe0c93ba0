import Testing

@Suite(.timeLimit(.minutes(30))) struct CapturedOutputTests {
  @Test("collects what a program writes")
  func collects() throws { try ProbeProgram.check("capture") }

  @Test("keeps its bounds")
  func keepsItsBounds() throws { try ProbeProgram.check("capture-bounds") }

  @Test("is late in a time limit, and leaves nobody")
  func isLateInATimeLimit() throws { try ProbeProgram.check("bound-capture-late") }

  @Test("goes on sending after the output has ended")
  func sendsAfterTheOutput() throws { try ProbeProgram.check("bound-closed-output") }

  @Test("takes any number as a limit")
  func takesAnyLimit() throws { try ProbeProgram.check("bound-numbers") }
}
