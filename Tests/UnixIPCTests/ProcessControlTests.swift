import Testing

@Suite(.timeLimit(.minutes(1))) struct ProcessControlTests {
  @Test("ends a child with its parent, and tells a parent that is gone already")
  func followsTheParent() throws { try ProbeProgram.check("follow-parent") }

  @Test("gives up new privileges")
  func forbidsNewPrivileges() throws { try ProbeProgram.check("no-new-privileges") }
}
