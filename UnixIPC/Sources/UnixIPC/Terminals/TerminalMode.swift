import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Changes the mode of the user's own terminal for a while.
public enum TerminalMode {
  /// Makes the terminal raw while the body runs, and gives it back as it was, however the body or the process ends:
  /// by return, by an error, by exit(3), by a fault, or by a signal whose default action ends the process.
  ///
  /// Such a signal first restores the terminal and then ends the process as usual, so the exit status is the signal's.
  /// Ignored signals stay ignored, and a handler of the program's own is left alone, but for faults, whose handlers run
  /// after the terminal is restored.  Stopped (SIGTSTP), the process leaves the terminal as it was; it is raw again when
  /// the process goes on in the foreground.  SIGKILL and _exit(2) leave it raw, and SIGSTOP does until SIGCONT: nothing
  /// runs then that could help.
  ///
  /// One terminal at a time in a process.  A process in the terminal's background is stopped by SIGTTOU.
  ///
  /// - Throws: the body's error, or `SystemCallError`: `ENOTTY` if it is no terminal, `EBUSY` inside another such body.
  ///
  /// Source: termios(3), sigaction(2), signal-safety(7).
  public static func withRaw<Result: ~Copyable>(
    _ terminal: borrowing Descriptor, _ body: () throws -> Result
  ) throws -> Result {
    try holdRaw(terminal)
    defer { releaseRaw() }
    return try body()
  }

  /// Makes the terminal raw as `withRaw(_:_:)` does, for a program that fills the screen: wherever the terminal is given
  /// back, the screen is left first, and entered again when the process goes on in the foreground.
  ///
  /// A process that is stopped and goes on must draw the screen anew: SIGCONT tells.
  ///
  /// - Parameter output: where the screen is, which must not block.
  /// - Parameter entering: control sequences of at most 63 bytes, without a zero byte.
  /// - Parameter leaving: the same.
  /// - Throws: as `withRaw(_:_:)`.
  @_spi(Begat) public static func withRaw<Result: ~Copyable>(
    _ terminal: borrowing Descriptor, output: borrowing NonBlockingOutput, entering: String, leaving: String,
    _ body: () throws -> Result
  ) throws -> Result {
    let (number, screen) = (terminal.number, output.number)
    _ = try check("tcsetattr") { platform_hold_raw(number, screen, entering, leaving) }
    defer { releaseRaw() }
    return try body()
  }

  static func holdRaw(_ terminal: borrowing Descriptor) throws(SystemCallError) {
    let number = terminal.number
    _ = try check("tcsetattr") { platform_hold_raw(number, -1, "", "") }
  }

  static func releaseRaw() { platform_release_raw() }
}
