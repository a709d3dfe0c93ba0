import Admission
import Configuration
import Control
import ControlProtocol
import Glibc
import Logging
import Monitoring
import Settings
@_spi(Begat) import UnixCore

/// Facts of begatd itself, for `status`.
struct ControlFacts {
  /// The file that was read.
  var configuration = ""
  /// When begatd began, CLOCK_MONOTONIC nanoseconds.
  var startTime = SystemClock.monotonic()
  /// When the configuration in force was read anew; nil if it was not.
  var reloadTime: Int64?
  var reloads = ReloadCounts()
  /// When the last reload ended, as `reloadTime`.
  var lastReloadTime: Int64?

  /// Notes the end of a reload.
  mutating func noteReloadEnd(succeeded: Bool) {
    if succeeded { reloads.succeeded += 1 } else { reloads.refused += 1 }
    reloads.lastSucceeded = succeeded
    lastReloadTime = SystemClock.monotonic()
  }
}

/// Requests that come through the control sockets.
extension Supervisor: ControlHandler {
  /// Begins to serve the control sockets, if there are any.
  func take(_ server: ControlServer?, of configuration: Configuration) throws(SystemCallError) {
    guard let server else { return }
    controlFacts.configuration = configuration.source
    server.obeysRootOnly = ControlServer.obeysRootOnly(configuration)
    _ = try poll.add(server.number, .readable) { [unowned self] _ in control?.turn() }
    server.handler = self
    control = server
  }

  /// A configuration that was read anew is in force.
  func noteReload(_ configuration: Configuration) {
    controlFacts.configuration = configuration.source
    controlFacts.reloadTime = SystemClock.monotonic()
    control?.obeysRootOnly = ControlServer.obeysRootOnly(configuration)
  }

  func handle(_ request: ControlRequest, reply: ControlReply) {
    logOrder(request)
    switch request {
    case .status: reply.send(.status(statusReport))
    case .connections(let service): reply.send(connections(of: service))
    case .reload(let isDryRun): requestReload(.request(isDryRun: isDryRun) { reply.send($0) })
    case .drain(let selection, let wait):
      if let services = select(selection, reply) { drain(services, wait: wait, reply) }
    case .resume(let selection): resume(selection, reply)
    case .end(let selection): if checkNames(in: selection, reply) { end(selection) { reply.send($0) } }
    case .deny(let network, let service, let duration):
      if checkName(service, reply) { reply.send(deny(network, service: service, duration: duration)) }
    case .allow(let network, let service):
      if checkName(service, reply) { reply.send(allow(network, service: service)) }
    case .stop: stop(reply)
    }
  }

  /// Orders are remembered: they change what clients see.
  private func logOrder(_ request: ControlRequest) {
    guard !request.name.isQuestion else { return }
    logger.info("control: \(String(decoding: request.line.dropLast(), as: UTF8.self))")
  }

  // MARK: Questions

  private var statusReport: StatusReport {
    let now = SystemClock.monotonic()
    var daemon = DaemonStatus(
      version: BegatVersion.text, process: getpid(), state: reportedState,
      age: .nanoseconds(now - controlFacts.startTime),
      configuration: controlFacts.configuration, reloadAge: controlFacts.reloadTime.map { .nanoseconds(now - $0) })
    daemon.lostLogMessages = recordLog.lostMessages
    daemon.reloads = controlFacts.reloads
    daemon.reloads.lastAge = controlFacts.lastReloadTime.map { .nanoseconds(now - $0) }
    let services = self.services.map { $0.status(now: now, isLeaving: false) }
    let leaving = leaving.map { $0.status(now: now, isLeaving: true) }
    return StatusReport(daemon: daemon, services: services + leaving, denials: denials)
  }

  private var reportedState: DaemonStatus.State {
    if stopping.isDraining { return .stopping }
    if stopping.isOrdered { return .announcing }
    if !isStarted { return .starting }
    return reloads.queue.running != nil && !reloads.isDryRun ? .reloading : .serving
  }

  private var denials: [Denial] {
    starter.bans.table.removeExpired()
    return starter.bans.table.all().map { ban in
      Denial(
        network: ban.network.description, service: nameOfService(ban.service),
        remaining: ban.expiry == .never ? nil : ban.expiry.remaining)
    }
  }

  /// More connections are counted only: a report shall not keep the loop for long.
  private static let maxConnections = 10_000

  private func connections(of service: String?) -> ControlAnswer {
    let asked = service.map { name in allServices.filter { $0.name == name } } ?? allServices
    if let service, asked.isEmpty { return .failure(unknownService(service)) }
    var report = ConnectionReport([])
    let now = SystemClock.monotonic()
    for service in asked {
      service.addConnections(to: &report, atMost: Self.maxConnections, now: now, names: resolver)
    }
    return .connections(report)
  }

  // MARK: Names

  func unknownService(_ name: String) -> ControlFailure {
    let known = services.map(\.name)
    let advice = nearestName(to: name, among: known).map { "did you mean \($0)?" } ?? "begat status shows all"
    return ControlFailure("no service \(quoted(name)); \(advice)", exitStatus: ControlFailure.usage)
  }

  /// The services that are meant; nil if one is unknown, which is answered then.
  func select(_ selection: ServiceSelection, _ reply: ControlReply) -> [ManagedService]? {
    guard case .named(let names) = selection else { return services }
    var selected: [ManagedService] = []
    for name in names {
      guard let service = services.first(where: { $0.name == name }) else {
        reply.send(.failure(unknownService(name)))
        return nil
      }
      if !selected.contains(where: { $0 === service }) { selected.append(service) }
    }
    return selected
  }

  /// Whether the service, if one is named, exists; answered if not.
  private func checkName(_ name: String?, _ reply: ControlReply) -> Bool {
    guard let name, !allServices.contains(where: { $0.name == name }) else { return true }
    reply.send(.failure(unknownService(name)))
    return false
  }

  private func checkNames(in selection: ConnectionSelection, _ reply: ControlReply) -> Bool {
    switch selection {
    case .all, .listed: true
    case .service(let name): checkName(name, reply)
    case .source(_, let service): checkName(service, reply)
    }
  }
}
