import Testing

@Suite(.timeLimit(.minutes(30))) struct DaemonTests {
  @Test("leaves session, directory, descriptors and streams")
  func leavesAll() throws { try ProbeProgram.check("dissociation") }

  @Test("tells the starter of a daemon that fails, dies or forgets it")
  func tellsOfFailure() throws { try ProbeProgram.check("dissociation-failed") }

  @Test("is refused to a process with threads")
  func isRefusedWithThreads() throws { try ProbeProgram.check("dissociation-threaded") }

  @Test("leaves no standard stream closed")
  func leavesNoStreamClosed() throws { try ProbeProgram.check("bound-null-streams") }
}
