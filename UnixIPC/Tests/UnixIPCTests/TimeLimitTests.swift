import Testing

@Suite(.timeLimit(.minutes(30))) struct TimeLimitTests {
  @Test("ends a call that waits for a lock, through a storm of signals")
  func endsALock() throws { try ProbeProgram.check("deadline-flock") }

  @Test("is nested: the nearest one holds")
  func isNested() throws { try ProbeProgram.check("deadline-nested") }

  @Test("keeps the inner error")
  func keepsTheInnerError() throws { try ProbeProgram.check("deadline-inner-error") }

  @Test("has no gap before the call")
  func hasNoGap() throws { try ProbeProgram.check("deadline-race") }

  @Test("leaves no mask, no pending signal and no timer behind")
  func leavesNoTrace() throws { try ProbeProgram.check("deadline-mask") }

  @Test("leaves the mask as its body set it")
  func leavesTheMask() throws { try ProbeProgram.check("bound-mask") }

  @Test("leaves no deadline where there is no timer for it")
  func leavesNoDeadline() throws { try ProbeProgram.check("bound-timers") }

  @Test("is none of a forked process")
  func isNoneOfAForkedProcess() throws { try ProbeProgram.check("bound-forks") }

  @Test("is kept though its body blocks all signals")
  func isKeptThoughAllIsBlocked() throws { try ProbeProgram.check("deadline-blocked") }

  @Test("is kept though its body sets dispositions")
  func isKeptThoughAllIsIgnored() throws { try ProbeProgram.check("deadline-disposition") }
}
