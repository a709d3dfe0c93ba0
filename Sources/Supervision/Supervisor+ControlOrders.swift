import Admission
import Control

/// Orders that come through the control socket.
extension Supervisor {
  func reload(isDryRun: Bool, _ reply: ControlReply) {
    requestReload(.request(isDryRun: isDryRun) { reply.send($0) })
  }
  func drain(_ services: [ManagedService], wait: DrainWait, _ reply: ControlReply) { refuse("drain", reply) }
  func resume(_ services: [ManagedService], _ reply: ControlReply) { refuse("resume", reply) }
  func end(_ selection: ConnectionSelection, _ reply: ControlReply) { end(selection) { reply.send($0) } }
  func deny(_ network: IPNetwork, service: String?, duration: Duration?, _ reply: ControlReply) {
    reply.send(deny(network, service: service, duration: duration))
  }
  func allow(_ network: IPNetwork, service: String?, _ reply: ControlReply) {
    reply.send(allow(network, service: service))
  }

  private func refuse(_ order: String, _ reply: ControlReply) {
    reply.send(.failure(ControlFailure("\(order): this begatd cannot do it yet")))
  }
}
