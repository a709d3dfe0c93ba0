import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// A terminal without a screen: a program uses its terminal side, and the process that plays the user has the controlling
/// side.
///
/// Discarding the value hangs the terminal up: its session's leader and its foreground get SIGHUP.
///
/// Source: pty(7), posix_openpt(3).
public struct PseudoTerminal: ~Copyable, Sendable {
  /// The controlling side: what is written here is typed, and what is read here was shown.
  public let controlling: Descriptor
  /// The path of the terminal side, `/dev/pts/N`; it names another terminal when this one is gone.
  public let path: String

  /// Makes a new pseudo-terminal.
  ///
  /// - Throws: `ENOSPC` if there are as many as `/proc/sys/kernel/pty/max` allows.
  ///
  /// Source: posix_openpt(3), grantpt(3), unlockpt(3), ptsname_r(3).
  public init(size: TerminalSize = .standard) throws(SystemCallError) {
    var name = [CChar](repeating: 0, count: 64)
    var step: UnsafePointer<CChar>?
    let number = platform_open_pseudo_terminal(&name, name.count, &step)
    if number == -1 {
      let error = ErrorCode.current
      throw SystemCallError(step.map { String(cString: $0) } ?? "posix_openpt", code: error)
    }
    let side = Descriptor(owning: number)
    try side.setTerminalSize(size)
    controlling = side
    path = String(decoding: name.lazy.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Opens the terminal side; it does not become the caller's controlling terminal.
  ///
  /// Not by the path, which may mean something else where devpts is mounted elsewhere.  Needs Linux 4.13.
  ///
  /// Source: ioctl_tty(2), TIOCGPTPEER.
  public func openTerminalSide() throws(SystemCallError) -> Descriptor {
    Descriptor(owning: try check("TIOCGPTPEER", on: path) { platform_open_terminal_side(controlling.number) })
  }

  /// Whether something was typed that the program could read now and has not: a whole line, if the terminal reads lines.
  ///
  /// Source: poll(2).
  public func hasUnreadInput() throws(SystemCallError) -> Bool {
    try openTerminalSide().wait(for: .readable, until: .immediate)
  }
}
