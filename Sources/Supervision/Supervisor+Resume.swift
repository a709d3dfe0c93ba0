import Configuration
import Control
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Letting drained services serve again.
extension Supervisor {
  /// Lets services serve again, and forgets drains of those that the configuration does not have at present.
  func resume(_ selection: ServiceSelection, _ reply: ControlReply) {
    guard !stopping.isOrdered else { return reply.send(.failure(ControlFailure("begatd is stopping"))) }
    guard case .named(let names) = selection else {
      keptDrains = []
      return resume(Resumption(services: services, reply: reply))
    }
    let forgotten = names.filter { keptDrains.remove($0) != nil }
    let rest = names.filter { !forgotten.contains($0) }
    guard !rest.isEmpty else {
      let text = "\(forgotten.joined(separator: ", ")): drained no more, and not configured at present"
      return reply.send(.order(OrderReport(text, count: forgotten.count)))
    }
    if let services = select(.named(rest), reply) { resume(Resumption(services: services, reply: reply)) }
  }

  /// Tries resumptions again for which listeners had not closed their sockets yet.
  func retryResumptions() {
    guard !resumptions.isEmpty else { return }
    let now = SystemClock.monotonic()
    let due = resumptions.filter { stopping.isOrdered || $0.wait?.nextTime ?? 0 <= now }
    resumptions.removeAll { stopping.isOrdered || $0.wait?.nextTime ?? 0 <= now }
    for resumption in due {
      guard !stopping.isOrdered else {
        resumption.reply.send(.failure(ControlFailure("begatd is stopping")))
        continue
      }
      resume(resumption)
    }
  }

  private func resume(_ resumption: Resumption) {
    let last = resumption.wait
    var resumption = resumption
    var waiting: [ManagedService] = []
    for service in resumption.services where service.drain.phase != .serving {
      // A reload may have removed it while it waited.
      guard services.contains(where: { $0 === service }) else {
        resumption.problems.append("\(service.name): it was removed meanwhile")
        continue
      }
      do throws(ResumeRefusal) {
        try resume(service)
        resumption.resumed.append(service.name)
      } catch {
        if error.isAddressInUse, let wait = waitForClosing(after: last) {
          resumption.wait = wait
          waiting.append(service)
        } else {
          resumption.problems += error.lines
        }
      }
    }
    tellOfDatagramPorts()
    startWhatIsDue()
    advanceDrains()
    manager.status(statusText)
    guard waiting.isEmpty else {
      resumption.services = waiting
      return resumptions.append(resumption)
    }
    answer(resumption)
  }

  private func answer(_ resumption: Resumption) {
    writeState(now: SystemClock.monotonic())
    let (resumed, problems) = (resumption.resumed, resumption.problems)
    for problem in problems { logger.error("resume: \(problem)") }
    let names = resumed.joined(separator: ", ")
    let done = resumed.isEmpty ? "nothing was resumed" : "\(names): serving again"
    guard !problems.isEmpty else {
      let text = resumed.isEmpty ? "no service was drained" : done
      return resumption.reply.send(.order(OrderReport(text, count: resumed.count)))
    }
    resumption.reply.send(
      .order(OrderReport("\(done); what cannot be bound stays drained", count: resumed.count, problems: problems)))
  }

  /// Why a service stays drained; one line each.
  private struct ResumeRefusal: Error {
    var lines: [String]
    /// Whether an address is in use, which it may not be a moment later.
    var isAddressInUse = false
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
    service.startRetry = .ofListeners
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
      throw ResumeRefusal(lines: problems, isAddressInUse: opening.hasAddressInUse)
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

/// A request to let services serve again.
struct Resumption {
  /// Those that are still to be resumed.
  var services: [ManagedService]
  /// Those that serve again.
  var resumed: [String] = []
  /// Why others do not; one line each.
  var problems: [String] = []
  /// Nil if nothing was waited for.
  var wait: ClosingWait?
  let reply: ControlReply

  init(services: [ManagedService], reply: ControlReply) {
    self.services = services
    self.reply = reply
  }
}
