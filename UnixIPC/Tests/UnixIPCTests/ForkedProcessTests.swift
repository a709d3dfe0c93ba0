import Testing

@Suite(.timeLimit(.minutes(30))) struct ForkedProcessTests {
  @Test("is no success with a status that has more than 8 bits")
  func isNoSuccess() throws { try ProbeProgram.check("exits-great") }

  @Test("is read from and written to")
  func isReadAndWritten() throws { try ProbeProgram.check("pipe-forked") }

  @Test("keeps no other child's input from ending")
  func keepsNoEnd() throws { try ProbeProgram.check("pipe-forked-end") }

  @Test("acts for another user, for good", .enabled(if: isRoot, "needs root"))
  func actsForAnother() throws { try ProbeProgram.check("pipe-forked-identity") }

  @Test("is refused to a process with threads")
  func isRefusedWithThreads() throws { try ProbeProgram.check("fork-threaded") }

  @Test("prints nothing twice")
  func printsNothingTwice() throws { try ProbeProgram.check("fork-printed") }

  @Test("ends alone by an error")
  func endsAlone() throws { try ProbeProgram.check("fork-error") }

  @Test("is not lost among ten thousand")
  func isNotLost() throws { try ProbeProgram.check("fork-many", "10000") }

  @Test("lacks a private stack, unless it is a copy that goes on from there")
  func lacksThePrivateStack() throws { try ProbeProgram.check("fork-apart") }

  @Test("has a stack near its other memory, with the title, where its parent has left the first one")
  func hasAStackNearTheRest() throws { try ProbeProgram.check("fork-near") }

  @Test("takes any number as a descriptor to keep")
  func keepsAnyNumber() throws { try ProbeProgram.check("bound-kept") }

  @Test("can be ended, whatever signals its parent has blocked")
  func canBeEnded() throws { try ProbeProgram.check("copy-mask") }

  @Test("does not handle what its parent handles")
  func doesNotHandle() throws { try ProbeProgram.check("copy-handlers") }

  @Test("may let go of what its parent owns")
  func mayLetGo() throws { try ProbeProgram.check("copy-owners") }

  @Test("leaves its parent's children alone")
  func leavesChildrenAlone() throws { try ProbeProgram.check("copy-children") }

  @Test("gets the descriptors that are passed to it")
  func getsWhatIsPassed() throws { try ProbeProgram.check("copy-passing") }

  @Test("sees nothing of the argument of a copy before it")
  func seesNoFormerArgument() throws { try ProbeProgram.check("copy-argument") }
}
