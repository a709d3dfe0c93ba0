import CPlatform

/// How a child process ended.
///
/// Source: wait(2).
public enum ExitStatus: Hashable, Sendable {
  case exited(code: CInt)
  case killed(by: Signal, dumpedCore: Bool)

  /// Nil for a child that was only stopped or continued.
  init?(waitStatus: CInt) {
    if platform_exited(waitStatus) {
      self = .exited(code: platform_exit_code(waitStatus))
    } else if platform_signaled(waitStatus) {
      self = .killed(
        by: Signal(rawValue: platform_termination_signal(waitStatus)), dumpedCore: platform_dumped_core(waitStatus))
    } else {
      return nil
    }
  }

  public var isSuccess: Bool { self == .exited(code: 0) }
}

extension ExitStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exited(let code): "exit \(code)"
    case .killed(let signal, let dumpedCore): "killed by \(signal)" + (dumpedCore ? " (core dumped)" : "")
    }
  }
}
