import Configuration
import Control
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Letting drained services serve again.
extension Supervisor {
  func resume(_ services: [ManagedService], _ reply: ControlReply) {
    guard !stopping.isOrdered else { return reply.send(.failure(ControlFailure("begatd is stopping"))) }
    var resumed: [ManagedService] = []
    var problems: [String] = []
    for service in services where service.drain.phase != .serving {
      do throws(ResumeRefusal) {
        try resume(service)
        resumed.append(service)
      } catch { problems += error.lines }
    }
    for problem in problems { logger.error("resume: \(problem)") }
    tellOfDatagramPorts()
    startWhatIsDue()
    advanceDrains()
    manager.status(statusText)
    let names = resumed.map(\.name).joined(separator: ", ")
    let done = resumed.isEmpty ? "nothing was resumed" : "\(names): serving again"
    guard !problems.isEmpty else {
      let text = resumed.isEmpty ? "no service was drained" : done
      return reply.send(.order(OrderReport(text, count: resumed.count)))
    }
    reply.send(
      .order(OrderReport("\(done); what cannot be bound stays drained", count: resumed.count, problems: problems)))
  }

  /// Why a service stays drained; one line each.
  private struct ResumeRefusal: Error {
    var lines: [String]
  }

  private func resume(_ service: ManagedService) throws(ResumeRefusal) {
    // Its sockets are still open.
    guard service.drain.isClosed else {
      service.drain.resume()
      return logger.notice("the drain is called off", metadata: service.logMetadata)
    }
    let sockets = try reopen(service)
    for socket in sockets { socket.takeNewClients() }
    // The configuration may have given up a passed socket meanwhile.
    let rest = service.sockets.filter { old in !sockets.contains { $0 === old } }
    for socket in rest { socket.takeNewClients() }
    service.resume(with: sockets)
    service.startRetry = Retry()
    service.restartTime = 0
    logger.notice("serves again", metadata: service.logMetadata)
  }

  /// Opens the sockets of a drained service: those that the service manager passed, and the rest by binding.
  private func reopen(_ service: ManagedService) throws(ResumeRefusal) -> [HeldSocket] {
    let configuration = service.configuration
    if configuration.usesRuntimeDirectory {
      do throws(RuntimeDirectory.Refusal) { try RuntimeDirectory.prepare() } catch {
        throw ResumeRefusal(lines: ["\(service.name): \(error)"])
      }
    }
    let passed = service.sockets
    let assignment = SocketAssignment([configuration], open: passed.map { $0.open(of: service.name) })
    let binder = SocketBinder(
      givenUp: allServices.flatMap { $0.closing + $0.lingering },
      held: services.flatMap { other in other.sockets.map { (other.name, $0) } }, former: service.former)
    let opening = SocketOpening([configuration], assignment, open: passed, binder: binder)
    var problems = opening.problems
    if assignment.isInactive(0) || opening.sockets[0].isEmpty {
      problems += opening.warnings.map { "service.\($0.service): \($0.text)" }
    }
    guard problems.isEmpty else {
      opening.undo()
      throw ResumeRefusal(lines: problems)
    }
    for warning in opening.warnings { logger.warning("\(warning.text)", metadata: service.logMetadata) }
    return opening.sockets[0]
  }

  /// Starts new listeners where datagrams are answered, if the ports have changed from which none may be.
  private func tellOfDatagramPorts() {
    let ports = services.datagramPorts
    guard ports != starter.datagramPorts else { return }
    starter.datagramPorts = ports
    for service in services where service.isServing && service.socketKinds.contains(.internetDatagram) {
      service.restartTime = 0
    }
  }
}
