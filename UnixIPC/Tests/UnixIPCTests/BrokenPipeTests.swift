import Testing

@Suite(.timeLimit(.minutes(30))) struct BrokenPipeTests {
  @Test("is an error of every call that writes, whatever SIGPIPE would do")
  func isAnError() throws { try ProbeProgram.check("broken-pipe") }

  @Test("ends the process that writes by the raw call")
  func endsRawWriters() throws { try ProbeProgram.check("broken-pipe-raw") }

  @Test("takes no signal of another sender")
  func keepsForeignSignals() throws { try ProbeProgram.check("broken-pipe-pending") }
}
