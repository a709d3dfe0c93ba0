import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ExitStatusTests {
  /// Testing has a type of this name too.
  typealias Status = UnixCore.ExitStatus

  @Test(
    "is read from the kernel's number",
    arguments: [
      (0, .exited(code: 0)), (0x0100, .exited(code: 1)), (0xff00, .exited(code: 255)),
      (9, .killed(by: .kill, dumpedCore: false)), (0x8b, .killed(by: Signal(rawValue: 11), dumpedCore: true)),
      (64, .killed(by: Signal(rawValue: 64), dumpedCore: false)), (0x137f, nil), (0xffff, nil),
    ] as [(CInt, Status?)])
  func isRead(number: CInt, status: Status?) { #expect(Status(waitStatus: number) == status) }

  @Test("says how a process ended")
  func saysHow() {
    #expect("\(Status.exited(code: 3))" == "exit 3")
    #expect("\(Status.killed(by: .terminate, dumpedCore: false))" == "killed by SIGTERM")
    #expect("\(Status.killed(by: .quit, dumpedCore: true))" == "killed by SIGQUIT (core dumped)")
    #expect(Status.exited(code: 0).isSuccess)
    #expect(!Status.exited(code: 1).isSuccess && !Status.killed(by: .kill, dumpedCore: false).isSuccess)
  }

  @Test("is checked for a program, a forked child and a pipeline")
  func isChecked() throws {
    let copy = failure { () throws(ProgramError) in try Status.exited(code: 3).checkSuccess(of: "the child") }
    #expect(copy.map { "\($0)" } == "the child: exit 3")
    try Status.exited(code: 0).checkSuccess(of: "the child")
    let pipeline = Pipeline(Program(path: "/bin/a"), Program(path: "/bin/b"), Program(path: "/bin/c"))
    let statuses: [Status] = [.exited(code: 1), .exited(code: 2), .exited(code: 0)]
    let stage = failure { () throws(ProgramError) in try statuses.checkSuccess(of: pipeline) }
    #expect(stage.map { "\($0)" } == "/bin/b: exit 2")
    try [Status](repeating: .exited(code: 0), count: 3).checkSuccess(of: pipeline)
  }

  @Test("is that of a child")
  func isThatOfAChild() throws { try ProbeProgram.check("exits-kinds") }
}
