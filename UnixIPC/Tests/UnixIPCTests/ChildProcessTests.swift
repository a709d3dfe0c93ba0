import Testing

@Suite(.timeLimit(.minutes(1))) struct ChildProcessTests {
  @Test("is gone, with its group, when nobody owns it any more")
  func isGoneWhenDropped() throws { try ProbeProgram.check("child-dropped") }

  @Test("is ended politely, and at last by force")
  func isEnded() throws { try ProbeProgram.check("child-ended") }

  @Test("is held by a handle that means no other process")
  func isHeld() throws { try ProbeProgram.check("child-handle") }

  @Test("is killed and fetched where a time limit ends the wait for it")
  func isNotLostAtADeadline() throws { try ProbeProgram.check("bound-wait") }
}
