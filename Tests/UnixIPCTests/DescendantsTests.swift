import Testing

@Suite(.timeLimit(.minutes(1))) struct DescendantsTests {
  @Test("finds those in other sessions and those that have lost their parents")
  func areFound() throws { try ProbeProgram.check("descendants") }

  @Test("ends those that do not hear SIGTERM")
  func areEnded() throws { try ProbeProgram.check("descendants-end") }
}
