import Glibc
@_spi(Begat) import UnixCore

/// `begat signal`: sends a signal.
public struct SignalClient: Sendable {
  public enum Receivers: Sendable {
    case processes([pid_t])
    /// The groups that these processes lead.
    case groups([pid_t])
    /// The caller's own group, without the caller.
    case ownGroup
  }

  public var signal: Signal
  public var receivers: Receivers

  public init(_ signal: Signal, to receivers: Receivers) {
    self.signal = signal
    self.receivers = receivers
  }

  /// Sends it to each; one that it does not reach has a line on standard error, and the others get it.
  ///
  /// - Returns: whether it reached them all.
  public func run() -> Bool {
    let command = CommandRun(command: "begat signal")
    return command.attempt(failure: false) {
      switch receivers {
      case .processes(let processes):
        var failures = 0
        for process in processes {
          guard let reason = failure(to: process) else { continue }
          command.complain("\(process): \(reason)")
          failures += 1
        }
        return failures == 0
      case .groups(let leaders):
        var failures = 0
        for leader in leaders {
          do throws(SystemCallError) {
            // One of zombies alone takes any signal.  Without /proc nothing tells.
            if (try? Liveness(ofGroup: leader)) == .gone {
              throw SystemCallError("kill", on: "\(leader)", code: .noSuchProcess)
            }
            try signal.send(toGroup: leader)
          } catch {
            command.complain("group \(leader): \(error.code)")
            failures += 1
          }
        }
        return failures == 0
      case .ownGroup:
        try sendToOwnGroup()
        return true
      }
    }
  }

  /// Why it does not reach a process.
  private func failure(to process: pid_t) -> String? {
    let handle: ProcessHandle
    do throws(SystemCallError) { handle = try ProcessHandle(process) } catch {
      // What pidfd_open(2) says of a thread, by the kernel's age.
      let isThread = error.code == .invalidArgument || error.code == .noSuchFileOrDirectory
      return isThread ? "a thread, not a process" : "\(error.code)"
    }
    // A zombie takes any signal, and nothing comes of it.
    if handle.hasEnded { return "\(ErrorCode.noSuchProcess)" }
    do throws(SystemCallError) { try handle.send(signal) } catch { return "\(error.code)" }
    return nil
  }

  private func sendToOwnGroup() throws {
    // These two reach their sender too, whatever it says.
    if signal == .kill || signal == .stop { return try signal.sendToOwnGroup() }
    try Signal.withDisposition(.ignored, for: signal) { try signal.sendToOwnGroup() }
  }
}
