import Testing

@Suite(.timeLimit(.minutes(30))) struct ChildProcessTests {
  @Test("is gone, with its group, when nobody owns it any more")
  func isGoneWhenDropped() throws { try ProbeProgram.check("child-dropped") }

  @Test("is ended politely, and at last by force")
  func isEnded() throws { try ProbeProgram.check("child-ended") }

  @Test("is held by a handle that means no other process")
  func isHeld() throws { try ProbeProgram.check("child-handle") }

  @Test("is killed and reaped where a time limit ends the wait for it")
  func isNotLostAtADeadline() throws { try ProbeProgram.check("bound-wait") }

  @Test("has an unknown status where SIGCHLD is ignored, and loses no output")
  func hasUnknownStatusWhenIgnored() throws { try ProbeProgram.check("reap-ignored") }

  @Test("has an unknown status when another has reaped it, and loses no output")
  func hasUnknownStatusWhenReaped() throws { try ProbeProgram.check("reap-other") }

  @Test("is no stranger, and has one owner")
  func isNoStranger() throws { try ProbeProgram.check("own-others") }

  @Test("is waited for up to a deadline, and again")
  func isWaitedForAgain() throws { try ProbeProgram.check("wait-deadline") }
}
