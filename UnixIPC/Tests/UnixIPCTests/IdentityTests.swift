import Glibc
import Testing
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct IdentityTests {
  @Test("is taken whole and for good", .enabled(if: isRoot, "needs root to become another user"))
  func isForGood() throws { try ProbeProgram.check("identity") }

  @Test("is not root's for anybody else")
  func isForbidden() throws { try ProbeProgram.check("identity-forbidden") }

  @Test("that a process has already needs no privileges, and other groups are refused")
  func isItsOwn() throws { try ProbeProgram.check("identity-own") }

  @Test("of the starter can be taken in a set-user-ID program", .enabled(if: isRoot, "needs root to give a file away"))
  func isTheStarters() throws {
    let directory = try TemporaryDirectory()
    let path = directory["probe"]
    let copy = try Program(named: "cp", arguments: [ProbeProgram().path(), path])
    try copy.run().checkSuccess(of: copy)
    try #require(chown(path, 34, 34) == 0 && chmod(path, 0o6755) == 0)
    var program = Program(path: path, arguments: ["identity-starter"], environment: ["SWIFT_BACKTRACE=enable=no"])
    program.identity = Identity(user: 65534, group: 65534, groups: [23])
    let result = try program.capture(errors: .withOutput, limit: 1000, until: Deadline(after: .seconds(20)))
    #expect(result.isSuccess, "\(result.string)")
  }
}
