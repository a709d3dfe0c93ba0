import Testing

@Suite(.timeLimit(.minutes(30))) struct SignalSendingTests {
  @Test("refuses to send to numbers that mean groups or everybody")
  func refusesNumbers() throws { try ProbeProgram.check("signal-invalid") }

  @Test("reaches the own group, whoever leads it")
  func reachesTheOwnGroup() throws { try ProbeProgram.check("group-own") }

  @Test("reaches the group of a shell that does not lead it")
  func reachesAShellsGroup() throws { try ProbeProgram.check("group-shell") }

  @Test("fails when the queue is full")
  func failsWhenFull() throws { try ProbeProgram.check("signal-full") }

  @Test("has been delivered when raise returns")
  func raises() throws { try ProbeProgram.check("signal-raise") }

  @Test("is understood as perl means it")
  func isAsPerlMeansIt() throws { try ProbeProgram.check("signal-perl") }

  @Test("is understood as python3 means it")
  func isAsPythonMeansIt() throws { try ProbeProgram.check("signal-python") }

  @Test("is understood as the program kill means it")
  func isAsKillMeansIt() throws { try ProbeProgram.check("signal-kill-program") }
}
