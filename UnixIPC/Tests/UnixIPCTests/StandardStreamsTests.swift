import Testing

@Suite(.timeLimit(.minutes(30))) struct StandardStreamsTests {
  @Test("are bottomless where they were closed, or fail as closed ones do")
  func fillGaps() throws { try ProbeProgram.check("standard-streams-closed") }

  @Test("are read and written without being owned")
  func areBorrowed() throws {
    let result = try ProbeProgram(words: ["standard-streams-borrowed"]).run()
    #expect(result.status.isSuccess && result.output == "out\nerr\nout again\n", "\(result.output)")
  }
}
