import Control

/// Carries out the requests that come through the control sockets.
protocol ControlHandler: AnyObject {
  /// - Parameter reply: takes the answer, now or at any later time; a request whose reply is released without an answer
  ///   is answered with a failure.
  func handle(_ request: ControlRequest, reply: ControlReply)
}

/// Where the answer to one request goes.
final class ControlReply {
  private weak var peer: ControlPeer?
  private var isAnswered = false

  init(to peer: ControlPeer?) { self.peer = peer }

  /// Whether a peer still waits for the answer: it may have gone meanwhile.
  var isOpen: Bool { !isAnswered && peer?.awaitsAnswer ?? false }

  /// The descriptor of the connection of a peer that still waits; nil if none does.
  var connection: CInt? { isOpen ? peer?.socket.number : nil }

  /// Sends the answer without waiting; further answers to the same request, and those to a peer that is gone, have no
  /// effect.
  func send(_ answer: ControlAnswer) {
    guard !isAnswered else { return }
    isAnswered = true
    peer?.answer(answer)
  }

  deinit { if !isAnswered { peer?.answer(.failure(ControlFailure("the request was given up"))) } }
}
