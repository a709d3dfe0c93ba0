import Control

/// Orders that come through the control socket.
extension Supervisor {
  func drain(_ services: [ManagedService], wait: DrainWait, _ reply: ControlReply) { refuse("drain", reply) }
  func resume(_ services: [ManagedService], _ reply: ControlReply) { refuse("resume", reply) }

  private func refuse(_ order: String, _ reply: ControlReply) {
    reply.send(.failure(ControlFailure("\(order): this begatd cannot do it yet")))
  }
}
