import Testing

@Suite(.timeLimit(.minutes(1))) struct StandardErrorTests {
  @Test("never waits for a reader that does not read")
  func neverWaits() throws { try ProbeProgram.check("standard-error") }
}
