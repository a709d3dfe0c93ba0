import Testing

@Suite(.timeLimit(.minutes(1))) struct CaptureTests {
  @Test("collects what a program writes")
  func collects() throws { try ProbeProgram.check("capture") }

  @Test("keeps its bounds")
  func keepsItsBounds() throws { try ProbeProgram.check("capture-bounds") }
}
