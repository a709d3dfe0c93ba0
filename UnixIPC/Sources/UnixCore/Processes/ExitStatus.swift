import CPlatform

/// How a child process ended.
///
/// Source: wait(2).
public enum ExitStatus: Hashable, Sendable {
  /// The process called exit(3), or returned from its main function, with this code (0 to 255).
  case exited(code: CInt)
  /// A signal ended the process; `dumpedCore` is true if the kernel wrote a core file.
  case killed(by: Signal, dumpedCore: Bool)
  /// The process has ended, but its status went elsewhere: SIGCHLD is ignored, so that the kernel discards statuses, or
  /// other code of the calling process reaped the child.
  case unknown

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

  /// Whether the process exited with code 0.  An unknown status is no success.
  public var isSuccess: Bool { self == .exited(code: 0) }
}

extension ExitStatus: CustomStringConvertible {
  /// The status in words, such as "exit 3" or "killed by SIGTERM".
  public var description: String {
    switch self {
    case .exited(let code): "exit \(code)"
    case .killed(let signal, let dumpedCore): "killed by \(signal)" + (dumpedCore ? " (core dumped)" : "")
    case .unknown: "status unknown"
    }
  }
}
