import Control
import UnixIPC

/// What a screen shows, and how it responds to keys: without a terminal and without begatd, so that tests can be both.
protocol ScreenModel {
  /// What to ask begatd for a fresh screen, in this order.
  var questions: [ControlRequest] { get }

  mutating func take(_ answer: ControlAnswer, to request: ControlRequest)

  /// begatd does not answer.
  mutating func take(_ failure: ControlClientError, to request: ControlRequest)

  mutating func take(_ key: Key) -> ScreenStep

  mutating func lines(_ size: TerminalSize) -> [ScreenLine]
}

/// What a key has led to.
enum ScreenStep: Hashable {
  case nothing
  /// The screen is asked for anew.
  case refresh
  /// begatd is asked to do something, and then for a fresh screen.
  case send(ControlRequest)
  case end
}
