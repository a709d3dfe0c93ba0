import Control
import UnixIPC

/// The content of a screen and its response to keys.  It needs neither a terminal nor begatd: tests stand in for both.
protocol ScreenModel {
  /// The requests whose answers make a fresh screen, in the order in which they are sent.
  var questions: [ControlRequest] { get }

  mutating func take(_ answer: ControlAnswer, to request: ControlRequest)

  /// begatd does not answer.
  mutating func take(_ failure: ControlClientError, to request: ControlRequest)

  mutating func take(_ key: Key) -> ScreenStep

  mutating func lines(_ size: TerminalSize) -> [ScreenLine]
}

/// The result of a key.
enum ScreenStep: Hashable {
  case nothing
  /// The screen is asked for anew.
  case refresh
  /// begatd is asked to do something, and then for a fresh screen.
  case send(ControlRequest)
  case end
}
