import Testing

@Suite(.timeLimit(.minutes(30))) struct SignalQueueTests {
  @Test("announces each of 500 children that end together")
  func announcesEach() throws { try ProbeProgram.check("exits-together") }

  @Test("misses exits when it is full, and all are found all the same")
  func missesExitsWhenFull() throws { try ProbeProgram.check("exits-unannounced") }

  @Test("tells a forged exit from a true one")
  func recognisesForgedExits() throws { try ProbeProgram.check("exits-forged") }

  @Test("gives the mask back where it was lent")
  func givesTheMaskBack() throws { try ProbeProgram.check("signal-queue-lent") }

  @Test("yields 1,000 values in order, and none is lost")
  func yieldsValues() throws { try ProbeProgram.check("signal-storm") }

  @Test("that cannot be opened blocks nothing")
  func blocksNothing() throws { try ProbeProgram.check("bound-queue") }
}
