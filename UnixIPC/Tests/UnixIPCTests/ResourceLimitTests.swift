import Testing

@Suite(.timeLimit(.minutes(30))) struct ResourceLimitTests {
  @Test("is raised as far as permitted")
  func isRaised() throws { try ProbeProgram.check("limit") }

  @Test("is raised by a user up to the hard limit")
  func isRaisedByAUser() throws { try ProbeProgram.check("limit-user") }
}
