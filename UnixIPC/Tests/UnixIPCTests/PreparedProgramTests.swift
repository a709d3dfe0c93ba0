import Testing

@Suite(.timeLimit(.minutes(30))) struct PreparedProgramTests {
  @Test("has its directory, mask, nice value, limits and group, and leaves its starter's alone")
  func hasItsSettings() throws { try ProbeProgram.check("program-settings") }

  @Test("leads a session, a group, both or none")
  func leads() throws { try ProbeProgram.check("program-leader") }

  @Test("has exactly its descriptors, also where they take each other's places")
  func hasItsDescriptors() throws { try ProbeProgram.check("program-descriptors") }

  @Test("has the variables of its own start only, each whole or not at all")
  func hasItsVariables() throws { try ProbeProgram.check("program-variables") }

  @Test("knows its own number in each start")
  func knowsItsNumber() throws { try ProbeProgram.check("program-number") }

  @Test("gets its death signal when its starter ends, not before")
  func getsItsDeathSignal() throws { try ProbeProgram.check("program-death-signal") }

  @Test("resets the signals that were changed when it was prepared")
  func resetsSignals() throws { try ProbeProgram.check("program-changed-signals") }

  @Test("that does not start names the step and leaves nothing")
  func namesTheStep() throws { try ProbeProgram.check("program-steps") }

  @Test("leaves no descriptor and no child behind in a thousand starts")
  func leavesNothing() throws { try ProbeProgram.check("program-thousand") }
}
