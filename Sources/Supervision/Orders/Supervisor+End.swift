import Admission
import Control
import ControlProtocol
@_spi(Begat) import UnixCore

/// Ending connections: by their listeners alone, which know what their processes are.
extension Supervisor {
  func end(_ selection: ConnectionSelection, answer: @escaping (ControlAnswer) -> Void) {
    var orders: [(generation: Generation, selection: EndOrder.Selection)] = []
    var problems: [String] = []
    var named: Int?
    switch selection {
    case .all: orders = allServices.flatMap(\.generations).map { ($0, .everything) }
    case .service(let name): orders = generations(of: name).map { ($0, .everything) }
    case .source(let network, let name): orders = generations(of: name).map { ($0, .source(network)) }
    case .listed(let names):
      for name in names {
        let found = find(name)
        if found.isEmpty { problems.append("no connection \(name)") } else { named = (named ?? 0) + 1 }
        orders += found
      }
    }
    let request = EndRequest(problems: problems, named: named, answer: answer)
    // Until all orders are sent, so that the first answer is not the last.
    request.expectAnswer()
    for order in orders where order.generation.isReady {
      let number = endOrders.add(request, to: order.generation)
      do throws(SystemCallError) {
        try tell(order.generation, .end(EndOrder(number: number, order.selection)))
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

  /// Where a connection is that has this name.  Connection processes write the scoreboard: several may claim to be the
  /// same process, and their listeners know which one is.
  private func find(_ name: ConnectionName) -> [(generation: Generation, selection: EndOrder.Selection)] {
    switch name {
    case .id(let id):
      let service = allServices.filter { $0.name == id.service }.flatMap(\.generations)
      guard let generation = service.first(where: { $0.number == id.generation }),
        (0..<generation.board.slotCount).contains(id.slot)
      else { return [] }
      let slot = generation.board.slot(id.slot)
      guard slot.pid > 0, id.isStarted(at: slot.started) else { return [] }
      return [(generation, .connection(process: slot.pid, slot: UInt32(id.slot), started: slot.started))]
    case .process(let number):
      return allServices.flatMap(\.generations).flatMap { generation in
        (0..<generation.board.slotCount).compactMap { index in
          let slot = generation.board.slot(index)
          guard slot.pid == number, number > 0 else { return nil }
          return (generation, .connection(process: number, slot: UInt32(index), started: slot.started))
        }
      }
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
