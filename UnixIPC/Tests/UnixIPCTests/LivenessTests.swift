import Testing

@Suite(.timeLimit(.minutes(30))) struct LivenessTests {
  @Test("tells the living from zombies and from those that are gone")
  func tellsTheLiving() throws { try ProbeProgram.check("liveness") }

  @Test("takes a thread for no process")
  func knowsThreads() throws { try ProbeProgram.check("liveness-thread") }

  @Test("looks at each process of a group")
  func looksAtGroups() throws { try ProbeProgram.check("liveness-group") }

  @Test("tells other users' processes from those that are gone", .enabled(if: isRoot, "needs root"))
  func tellsOthers() throws { try ProbeProgram.check("liveness-others") }
}
