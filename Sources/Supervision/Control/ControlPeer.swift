import Control

/// A process that has connected to a control socket.
final class ControlPeer {
  var awaitsAnswer: Bool { true }
  func answer(_ answer: ControlAnswer) {}
}
