import Confinement
import Glibc
@_spi(Begat) import UnixCore

/// Executes another program of begatd in this process.
struct Execution {
  let program: HeldProgram
  let arguments: [String]
  /// Those that stay open.
  let descriptors: [CInt]
  /// The limits with which begatd was started.
  let limits: [Program.Limit]

  /// Returns only if the program cannot be executed; then everything is as before.
  ///
  /// Signals that begatd waits for stay blocked, so that one that comes meanwhile is not lost.
  func run() throws(SystemCallError) -> Never {
    let raised = try? ResourceLimit.openFiles.current()
    do throws(SystemCallError) {
      for number in descriptors { try Self.setCloseOnExec(number, false) }
      for limit in limits { try limit.resource.set(soft: limit.soft, hard: limit.hard) }
      try DaemonPrivileges.keepOver { () throws(SystemCallError) in try program.become(arguments) }
    } catch {
      if let raised { try? ResourceLimit.openFiles.set(soft: raised.soft, hard: raised.hard) }
      for number in descriptors { try? Self.setCloseOnExec(number, true) }
      throw error
    }
  }

  private static func setCloseOnExec(_ number: CInt, _ isClosed: Bool) throws(SystemCallError) {
    guard fcntl(number, F_SETFD, isClosed ? FD_CLOEXEC : 0) == 0 else {
      throw SystemCallError("fcntl", on: "descriptor \(number)", code: ErrorCode(rawValue: errno))
    }
  }
}
