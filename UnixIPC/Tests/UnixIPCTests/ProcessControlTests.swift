import Testing

@Suite(.timeLimit(.minutes(30))) struct ProcessControlTests {
  @Test("ends a child with its parent, and tells a parent that is gone already")
  func followsTheParent() throws { try ProbeProgram.check("follow-parent") }

  @Test("gives up new privileges")
  func forbidsNewPrivileges() throws { try ProbeProgram.check("no-new-privileges") }

  @Test("leads groups and sessions, or says why not")
  func leads() throws { try ProbeProgram.check("group-lead") }

  @Test("puts children into groups")
  func joins() throws { try ProbeProgram.check("group-join") }

  @Test("becomes another program, with its number and what it ignores")
  func becomesAProgram() throws { try ProbeProgram.check("become-program") }
}
