import Glibc
@_spi(Begat) import UnixCore

extension TerminalConversation {
  /// Waits until the terminal does not echo: the moment to type a password, which a program asks for without echo.
  ///
  /// A password that is typed before is shown, and a program that turns the echo off discards what was typed before
  /// (TCSAFLUSH).  No event announces the change, so the settings are looked at up to every 20 ms.  What the program
  /// writes meanwhile stays in the buffer.
  ///
  /// - Throws: ``ConversationError/timedOut(expected:seen:)`` at the deadline, ``ConversationError/ended(expected:seen:)``
  ///   if the program ends before.
  public mutating func waitUntilEchoIsOff(until deadline: Deadline = .never) throws(ConversationError) {
    let expected = "terminal without echo"
    var pause = Duration.milliseconds(1)
    do throws(SystemCallError) {
      while try settings().echoes {
        if try fill() {
          try channel.mustBeWanted()
        } else if channel.hasEnded {
          throw SystemCallError("tcgetattr", on: terminalPath, code: ErrorCode.ioError)
        } else {
          var others = PollSet()
          _ = try channel.wait(also: &others, until: min(deadline, Deadline(after: pause)))
          pause = min(pause * 2, .milliseconds(20))
        }
        if deadline.isExpired { throw SystemCallError("poll", on: terminalPath, code: .timedOut) }
      }
    } catch {
      switch error.code {
      case .timedOut: throw .timedOut(expected: expected, seen: lastBytes)
      case ErrorCode.ioError: throw .ended(expected: expected, seen: lastBytes)
      default: throw .call(error)
      }
    }
  }
}
