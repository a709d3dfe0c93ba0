import Testing

@Suite(.timeLimit(.minutes(30))) struct FileLockTests {
  @Test("is respected by flock(1), and given back by a process that ends")
  func isRespected() throws { try ProbeProgram.check("lock-file") }
}
