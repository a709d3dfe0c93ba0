import Glibc
import NetworkServices
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// The frame of a command that holds a conversation with a program: what can be done before there is one, and what to
/// say when it fails.
struct ConversationFrame: ~Copyable {
  let command: CommandRun
  let signals: EndingSignals
  private let isReaderMissed: Bool

  /// From now on a reader that leaves is an error, and the signals that end the command wait: the program is ended
  /// first.  So steps that may take forever, such as opening a FIFO, come before it.
  init(_ command: CommandRun) throws(SystemCallError) {
    let isReaderMissed = try Signal.brokenPipe.disposition == .ignored
    let signals = try EndingSignals()
    Signal.brokenPipe.ignore()
    self.command = command
    self.signals = signals
    self.isReaderMissed = isReaderMissed
  }

  /// Says why the conversation failed, whose program has ended by now.
  ///
  /// - Parameter status: how the program ended, where it did so itself.
  /// - Returns: the exit status, where the reason is not a signal: that ends this process.
  func conclude(_ reason: any Error, _ status: ExitStatus?) -> CInt {
    switch reason {
    case let failure as StepFailure: command.complain(failure.text(status))
    case let failure as SystemCallError where failure.code == .canceled:
      if let signal = signals.take() { return ProcessEnd.by(signal) }
    case let failure as SystemCallError
    where failure.code == .brokenPipe && failure.object == ShownOutput.name && !isReaderMissed:
      // The output has no reader any more: the end of every filter.
      return ProcessEnd.by(.brokenPipe)
    default: command.complain("\(reason)")
    }
    return ExitStatuses.failure
  }

  /// What a program that could not be started ends the command with.
  func conclude(start failure: SystemCallError) throws(SystemCallError) -> CInt {
    guard failure.call == "execve" else { throw failure }
    return command.complain(ofCommand: failure)
  }
}

/// How a conversation went.
enum ConversationEnding {
  case ended(ExitStatus)
  case failed(any Error)

  /// Whether the program is missed by now: then its status says why.
  var isProgramGone: Bool {
    guard case .failed(let reason as StepFailure) = self else { return false }
    return switch reason.reason {
    case .ended, .refused: true
    case .late, .lineTooLong, .other: false
    }
  }
}
