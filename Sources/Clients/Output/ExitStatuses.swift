import Glibc
@_spi(Begat) import UnixCore

/// What the commands that run another one end with, where it is not that one's own status.
enum ExitStatuses {
  static let failure: CInt = 1
  /// `EX_TEMPFAIL`, sysexits.h
  static let temporaryFailure: CInt = 75
  /// A limit ended the command, as timeout(1) tells it.
  static let limitReached: CInt = 124
  /// The command was not started, or not watched to its end, as env(1) and timeout(1) tell it.
  static let notStarted: CInt = 125
  /// As env(1) and shells tell it.
  static let commandNotExecutable: CInt = 126
  static let commandNotFound: CInt = 127

  /// What a command ends with that passes on how another one ended, as shells tell it.
  static func of(_ status: ExitStatus) -> CInt {
    switch status {
    case .exited(let code): code
    case .killed(let signal, _): 128 + signal.rawValue
    // The command has run; another part of this process took its status away.
    case .unknown: failure
    }
  }
}
