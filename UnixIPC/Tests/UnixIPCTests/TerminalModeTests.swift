import Testing

@Suite(.timeLimit(.minutes(30))) struct TerminalModeTests {
  @Test("restores the terminal on every way out: return, error, exit, fault, signals, a killed child")
  func restores() throws { try ProbeProgram.check("terminal-restored") }

  @Test("restores the terminal of script(1)")
  func restoresUnderScript() throws { try ProbeProgram.check("terminal-under-script") }

  @Test("lets go of the terminal while the process is stopped or in the background")
  func restoresWhileStopped() throws { try ProbeProgram.check("terminal-stopped") }

  @Test("restores dispositions, and leaves ignored signals and other handlers alone")
  func restoresDispositions() throws { try ProbeProgram.check("terminal-dispositions") }
}
