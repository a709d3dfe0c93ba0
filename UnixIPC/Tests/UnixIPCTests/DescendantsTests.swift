import Testing

@Suite(.timeLimit(.minutes(30))) struct DescendantsTests {
  @Test("finds those in other sessions and those that have lost their parents")
  func areFound() throws { try ProbeProgram.check("descendants") }

  @Test("ends those that do not hear SIGTERM")
  func areEnded() throws { try ProbeProgram.check("descendants-end") }

  @Test("ends them also when the thread has no time left")
  func areEndedWithoutTime() throws { try ProbeProgram.check("descendants-late") }

  @Test("sends SIGTERM once, also to one that gets a new parent meanwhile")
  func areAskedOnce() throws { try ProbeProgram.check("descendants-asked-once") }

  @Test("ends a process whose first thread has ended, which /proc shows as a zombie")
  func withoutFirstThreadAreEnded() throws { try ProbeProgram.check("descendants-without-first-thread") }
}
