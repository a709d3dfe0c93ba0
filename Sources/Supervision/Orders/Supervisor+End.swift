import Admission
import Control
import ControlProtocol
@_spi(Begat) import UnixCore

/// Ending connections: by their listeners alone, which know what their processes are.
extension Supervisor {
  func end(_ selection: ConnectionSelection, answer: @escaping (ControlAnswer) -> Void) {
    var orders: [(generation: Generation, selection: EndOrder.Selection)] = []
    var problems: [String] = []
    switch selection {
    case .all: orders = allServices.flatMap(\.generations).map { ($0, .everything) }
    case .service(let name): orders = generations(of: name).map { ($0, .everything) }
    case .source(let network, let name): orders = generations(of: name).map { ($0, .source(network)) }
    case .listed(let names):
      for name in names {
        if let order = find(name) { orders.append(order) } else { problems.append("no connection \(name)") }
      }
    }
    let request = EndRequest(problems: problems, answer: answer)
    // Until all orders are sent, so that the first answer is not the last.
    request.expectAnswer()
    for order in orders where order.generation.isReady {
      let number = endOrders.add(request, to: order.generation)
      do throws(SystemCallError) {
        try ListenerChannel.send(.end(EndOrder(number: number, order.selection)), on: order.generation.channel)
      } catch {
        endOrders.take(number, from: order.generation)?.settle(
          problem: "listener \(order.generation.process) cannot be told: \(error)")
      }
    }
    request.settle()
  }

  /// The listeners of a service, those that drain as well; of all services without a name.
  private func generations(of name: String?) -> [Generation] {
    allServices.filter { name == nil || $0.name == name }.flatMap(\.generations)
  }

  private func find(_ name: ConnectionName) -> (generation: Generation, selection: EndOrder.Selection)? {
    switch name {
    case .id(let id):
      let service = allServices.filter { $0.name == id.service }.flatMap(\.generations)
      guard let generation = service.first(where: { $0.number == id.generation }),
        (0..<generation.board.slotCount).contains(id.slot)
      else { return nil }
      let slot = generation.board.slot(id.slot)
      guard slot.pid > 0, id.isStarted(at: slot.started) else { return nil }
      return (generation, .connection(process: slot.pid, slot: UInt32(id.slot), started: slot.started))
    case .process(let number):
      for generation in allServices.flatMap(\.generations) {
        for index in 0..<generation.board.slotCount {
          let slot = generation.board.slot(index)
          guard slot.pid == number, number > 0 else { continue }
          return (generation, .connection(process: number, slot: UInt32(index), started: slot.started))
        }
      }
      return nil
    }
  }

  /// A listener has told so many of its connections to end.
  func hasEnded(_ number: UInt32, count: Int, by generation: Generation) {
    endOrders.take(number, from: generation)?.settle(count: count)
  }

  /// Gives up waiting for listeners that do not answer.
  func endLateOrders() {
    guard let deadline = endOrders.deadline else { return }
    let now = SystemClock.monotonic()
    guard deadline <= now else { return }
    for request in endOrders.takeLate(now) { request.settle(problem: "a listener does not answer") }
  }
}
