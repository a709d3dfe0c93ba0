import Testing

@Suite(.timeLimit(.minutes(1))) struct IdentityTests {
  @Test("is taken whole and for good", .enabled(if: isRoot, "needs root to become another user"))
  func isForGood() throws { try ProbeProgram.check("identity") }

  @Test("is not root's for anybody else")
  func isForbidden() throws { try ProbeProgram.check("identity-forbidden") }
}
