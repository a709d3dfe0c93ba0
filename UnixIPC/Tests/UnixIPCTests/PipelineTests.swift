import Testing

@Suite(.timeLimit(.minutes(30))) struct PipelineTests {
  @Test("tells how every stage ended")
  func tellsEveryStatus() throws { try ProbeProgram.check("pipe-stages") }

  @Test("leaves nobody behind where a stage is missing")
  func leavesNobody() throws { try ProbeProgram.check("pipe-stage-missing") }

  @Test("leaves no descriptor")
  func leavesNoDescriptor() throws { try ProbeProgram.check("pipe-descriptors") }
}
