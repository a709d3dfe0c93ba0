import Glibc
@_spi(Begat) import UnixCore

/// The exit statuses that begat gives itself, in commands that otherwise pass on that of another command.
enum ExitStatuses {
  static let failure: CInt = 1
  /// `EX_TEMPFAIL`, sysexits.h
  static let temporaryFailure: CInt = 75
  /// A limit ended the command: the status of timeout(1).
  static let limitReached: CInt = 124
  /// The command was not started, or not watched to its end: the status of env(1) and timeout(1).
  static let notStarted: CInt = 125
  /// The status of env(1) and shells.
  static let commandNotExecutable: CInt = 126
  static let commandNotFound: CInt = 127

  /// The status that passes on how another command ended, made as shells make it.
  static func of(_ status: ExitStatus) -> CInt {
    switch status {
    case .exited(let code): code
    case .killed(let signal, _): 128 + signal.rawValue
    // The command has run; another part of this process took its status away.
    case .unknown: failure
    }
  }
}
