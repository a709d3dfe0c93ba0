import Testing

@Suite(.timeLimit(.minutes(30))) struct ChildrenTests {
  @Test("is nothing where there is no child")
  func isNothing() throws { try ProbeProgram.check("exits-none") }

  @Test("is not what a number below one means, which is any child for the kernel")
  func hasANumber() throws { try ProbeProgram.check("exits-numbers") }

  @Test("has not ended because there is no descriptor for the wait")
  func hasNotEndedWithoutDescriptor() throws { try ProbeProgram.check("exits-no-descriptor") }

  @Test("is not reaped while it is only stopped")
  func isNotReapedWhileStopped() throws { try ProbeProgram.check("exits-stopped") }

  @Test("are not reaped by a reaper when they have an owner")
  func areSpared() throws { try ProbeProgram.check("reap-owned") }

  @Test("are waited for behind one that has an owner")
  func areWaitedFor() throws { try ProbeProgram.check("reap-owned-waiting") }

  @Test("are kept together, and waited for one by one or all at once")
  func areKeptTogether() throws { try ProbeProgram.check("child-set") }

  @Test("are ended together, within one grace period")
  func areEndedTogether() throws { try ProbeProgram.check("child-set-ended") }
}
