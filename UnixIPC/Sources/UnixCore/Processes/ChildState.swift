import CPlatform
import Glibc

/// The part of a `ChildProcess` that changes: what its owner, in any thread, has learned of its end.
final class ChildState: @unchecked Sendable {
  let process: pid_t
  /// The process whose child it is: a forked copy of that process neither signals nor reaps it.
  private let parent = getpid()
  private var status: ExitStatus?
  private var isOwned = true

  init(_ process: pid_t) { self.process = process }

  var isOurs: Bool { parent == getpid() }

  /// Whether its end is still the owner's to wait for.
  var isPending: Bool { OwnedChildren.withRegister { isOwned && status == nil } }

  var knownStatus: ExitStatus? { OwnedChildren.withRegister { status } }

  /// Gives up the ownership.
  func release() {
    OwnedChildren.withRegister {
      isOwned = false
      OwnedChildren.remove(process)
    }
  }

  /// Reaps the child if it has ended; nil while it lives.
  func reap() -> ExitStatus? {
    OwnedChildren.withRegister {
      if let status { return status }
      var raw: CInt = 0
      switch waitpid(process, &raw, WNOHANG | OwnedChildren.anyKind) {
      case process: status = ExitStatus(waitStatus: raw)
      // Something else reaped it, or the kernel discards statuses.
      case -1: status = .unknown
      default: break
      }
      if status != nil { OwnedChildren.remove(process) }
      return status
    }
  }

  /// Waits for the end of a child that was killed, whatever deadline the calling thread is under, and reaps it.
  func reapKilled() -> ExitStatus {
    while true {
      if let status = reap() { return status }
      var information = siginfo_t()
      waitid(P_PID, id_t(bitPattern: process), &information, WEXITED | WNOWAIT | OwnedChildren.anyKind)
    }
  }

  /// Runs the body unless the child is reaped, and prevents its reaping meanwhile: its number is its own.
  func whileUnreaped(_ body: () -> Void) {
    guard isOurs else { return }
    OwnedChildren.withRegister { if status == nil { body() } }
  }
}
