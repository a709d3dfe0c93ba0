import Testing

@Suite(.timeLimit(.minutes(1))) struct StandardStreamsTests {
  @Test("are bottomless where they were closed, or fail as closed ones do")
  func fillGaps() throws { try ProbeProgram.check("standard-streams-closed") }
}
