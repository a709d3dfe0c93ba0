import Testing

@Suite(.timeLimit(.minutes(1))) struct ChildrenTests {
  @Test("is nothing where there is no child")
  func isNothing() throws { try ProbeProgram.check("exits-none") }

  @Test("is not reaped while it is only stopped")
  func isNotReapedWhileStopped() throws { try ProbeProgram.check("exits-stopped") }
}
