import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The frame of a command: standard streams that exist, and one line on standard error for what fails.
struct CommandRun {
  /// As it was typed: "begat sem".
  let command: String

  /// One line for the user, with whatever came from elsewhere made printable.
  func complain(_ line: String) {
    StandardStream.complain("\(command): \(escaped(line.utf8, doublingBackslashes: false))")
  }

  /// The line of a program that cannot be run.
  ///
  /// - Returns: the exit status for it.
  func complain(ofCommand failure: SystemCallError) -> CInt {
    complain("\(failure)")
    return failure.code == .noSuchFileOrDirectory ? ExitStatuses.commandNotFound : ExitStatuses.commandNotExecutable
  }

  /// - Returns: the body's result; `failure` after an error, which is shown.
  func attempt<Result>(failure: Result, _ body: () throws -> Result) -> Result {
    do {
      _ = StartSignals.ignored
      // Ignored, it would take the statuses of all that is started away.
      if try Signal.child.disposition == .ignored { Signal.child.restoreDefault() }
      // A caller that has closed the output gets an error if something is printed.
      try StandardStreams.ensureOpen(failing: true)
      return try body()
    } catch {
      complain("\(error)")
      return failure
    }
  }
}
