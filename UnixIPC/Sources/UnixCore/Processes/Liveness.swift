import CPlatform
import Glibc

/// Whether there is a process, as far as the caller may know and touch it.
///
/// Source: kill(2), pidfd_open(2).
public enum Liveness: Hashable, Sendable {
  /// The process runs, and the caller may send it signals.
  case alive
  /// No process has that number, or it has ended and is not reaped yet.
  case gone
  /// The process runs and belongs to another user: the caller may not send it signals.
  case notOurs

  /// Whether there is a process of that number now.  It may be another than the one that had the number before:
  /// `ProcessHandle` knows one for good.
  ///
  /// - Throws: `EINVAL` for numbers below 1; `EMFILE` or `ENFILE` when no descriptor is free to look with.
  public init(of process: pid_t) throws(SystemCallError) {
    guard process > 0 else { throw SystemCallError("pidfd_open", on: String(process), code: .invalidArgument) }
    do throws(SystemCallError) { self = try ProcessHandle(process).liveness } catch {
      // The number of a thread is none of a process; newer kernels say ENOENT.
      guard [.noSuchProcess, .invalidArgument, .noSuchFileOrDirectory].contains(error.code) else { throw error }
      self = .gone
    }
  }

  /// Whether there are processes of that group: `.alive` when the caller may signal one of them at least, `.gone` when
  /// all have ended, reaped or not.
  ///
  /// Looks at every process of the machine, as /proc shows them: a /proc that hides other users' processes
  /// (`hidepid`) hides them from this too.
  ///
  /// - Throws: `EINVAL` for numbers below 1; what `open` says where there is no /proc.
  public init(ofGroup group: pid_t) throws(SystemCallError) {
    guard group > 0 else { throw SystemCallError("kill", on: "group \(group)", code: .invalidArgument) }
    // To kill(2), -1 means every process.
    let isHidden: Bool
    if group > 1 {
      do throws(SystemCallError) {
        try Signal(rawValue: 0).send(toGroup: group)
        isHidden = false
      } catch {
        if error.code == .noSuchProcess {
          self = .gone
          return
        }
        isHidden = true
      }
    } else {
      isHidden = false
    }
    var found: Liveness?
    for member in try ProcessControl.members(ofGroup: group) {
      let liveness = try Liveness(of: member)
      if liveness == .alive {
        self = .alive
        return
      }
      if found != .notOurs { found = liveness }
    }
    self = found ?? (isHidden ? .notOurs : .gone)
  }
}

extension ProcessHandle {
  /// Whether this process, and no other that has its number now, runs still.
  ///
  /// Source: pidfd_send_signal(2), signal 0.
  public var liveness: Liveness {
    if hasEnded { return .gone }
    do throws(SystemCallError) { try send(Signal(rawValue: 0)) } catch {
      return error.code == .noSuchProcess ? .gone : .notOurs
    }
    return .alive
  }
}
