import Glibc
import Testing
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct StandardErrorTests {
  @Test("never waits for a reader that does not read")
  func neverWaits() throws { try ProbeProgram.check("standard-error") }

  @Test("never waits for another user's pipe", .enabled(if: geteuid() == 0, "needs root to become a user"))
  func neverWaitsForAnotherUsersPipe() throws { try ProbeProgram.check("standard-error-foreign") }

  @Test("never waits for a stopped terminal")
  func neverWaitsForATerminal() throws { try ProbeProgram.check("standard-error-terminal") }

  @Test("never waits for a socket")
  func neverWaitsForASocket() throws { try ProbeProgram.check("standard-error-socket") }
}
