import Testing

@Suite(.timeLimit(.minutes(30))) struct AlarmTests {
  @Test("ends the process at its time, is replaced and cancelled")
  func endsTheProcess() throws { try ProbeProgram.check("alarm") }
}
