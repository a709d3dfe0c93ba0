import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct PseudoTerminalTests {
  @Test("has two sides that are one terminal")
  func hasTwoSides() throws {
    let terminal = try PseudoTerminal(size: TerminalSize(columns: 132, rows: 43))
    let side = try terminal.openTerminalSide()
    let path = side.terminalPath
    #expect(path == terminal.path)
    #expect(terminal.path.hasPrefix("/dev/pts/"))
    let areTerminals = (side.isTerminal, terminal.controlling.isTerminal)
    #expect(areTerminals == (true, true))
    let areClosing = (side.isCloseOnExec, terminal.controlling.isCloseOnExec)
    #expect(areClosing == (true, true))
    let size = try side.terminalSize()
    #expect(size == TerminalSize(columns: 132, rows: 43))
    #expect("\(size)" == "132x43")
    try side.setTerminalSize(.standard)
    let other = try terminal.controlling.terminalSize()
    #expect(other == .standard)
    let group = try terminal.controlling.foregroundGroup()
    #expect(group == nil)
  }

  @Test("is nothing that a file is")
  func isNoFile() throws {
    let null = try Descriptor.open("/dev/null", .readOnly)
    let isTerminal = null.isTerminal
    let path = null.terminalPath
    #expect(!isTerminal && path == nil)
    let noTerminal = ErrorCode.inappropriateIOCTLForDevice
    let size = failure { () throws(SystemCallError) in try null.terminalSize() }
    #expect(size == SystemCallError("TIOCGWINSZ", code: noTerminal))
    let group = failure { () throws(SystemCallError) in try null.foregroundGroup() }
    #expect(group == SystemCallError("tcgetpgrp", code: noTerminal))
  }

  @Test("is a program's controlling terminal")
  func controlsAProgram() throws { try ProbeProgram.check("terminal-control") }
}
