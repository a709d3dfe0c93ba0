import CPlatform
import Glibc

/// A signal by number.
///
/// Source: signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
  public let rawValue: CInt

  public init(rawValue: CInt) { self.rawValue = rawValue }

  public static let alarm = Signal(rawValue: SIGALRM)
  public static let child = Signal(rawValue: SIGCHLD)
  public static let hangUp = Signal(rawValue: SIGHUP)
  public static let interrupt = Signal(rawValue: SIGINT)
  public static let kill = Signal(rawValue: SIGKILL)
  public static let brokenPipe = Signal(rawValue: SIGPIPE)
  public static let quit = Signal(rawValue: SIGQUIT)
  /// SIGCONT: a stopped process goes on.
  public static let resume = Signal(rawValue: SIGCONT)
  public static let user1 = Signal(rawValue: SIGUSR1)
  public static let user2 = Signal(rawValue: SIGUSR2)
  public static let terminate = Signal(rawValue: SIGTERM)

  /// The `offset`th real-time signal that the C library leaves to programs; `SIGRTMIN+offset`.
  public static func realTime(_ offset: CInt) -> Signal { Signal(rawValue: platform_sigrtmin() + offset) }

  /// Discards the signal from now on, or restores its default action.  The signal's own handler never runs.
  ///
  /// Ignored signals stay ignored across exec; `Program.start` resets them.
  ///
  /// Source: signal(2).
  public func ignore() { _ = Glibc.signal(rawValue, SIG_IGN) }
  public func restoreDefault() { _ = Glibc.signal(rawValue, SIG_DFL) }

  /// Sends the signal to a process.  Only its parent may be sure that the number still means that process.
  ///
  /// Source: kill(2).
  public func send(to process: pid_t) throws(CallFailure) {
    precondition(process > 0, "0 and negative numbers mean whole groups")
    _ = try check("kill", on: String(process)) { Glibc.kill(process, rawValue) }
  }

  /// Sends the signal to all processes of a group.  Only the parent of its living leader may be sure which group that is.
  ///
  /// Source: killpg(3).
  public func send(toGroup group: pid_t) throws(CallFailure) {
    precondition(group > 1, "1 means everybody, 0 the caller's own group")
    _ = try check("kill", on: String(-group)) { Glibc.kill(-group, rawValue) }
  }
}

extension Signal: CustomStringConvertible {
  /// "SIGTERM"; "SIGRTMIN+3" for a real-time signal; the number where there is no name.
  public var description: String {
    if let name = platform_signal_name(rawValue) { return "SIG" + String(cString: name) }
    let first = platform_sigrtmin()
    if rawValue == first { return "SIGRTMIN" }
    if rawValue > first, rawValue <= 64 { return "SIGRTMIN+\(rawValue - first)" }
    return "signal \(rawValue)"
  }
}
