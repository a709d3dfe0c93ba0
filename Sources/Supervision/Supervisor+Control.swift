import Admission
import Configuration
import Confinement
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
  /// The sandbox parts that the kernel lacks.
  let sandboxGaps = KernelSupport.current.gaps

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
    controlFacts.configuration = configuration.source
    guard let server else { return }
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
      guard let selected = select(selection, reply) else { return }
      // Services that report the drain go on, unless named.
      let services = selection == .all ? selected.filter { !$0.endsLast } : selected
      drain(services, wait: wait, reply)
    case .resume(let selection): resume(selection, reply)
    case .end(let selection): if checkNames(in: selection, reply) { end(selection) { reply.send($0) } }
    case .deny(let network, let service, let duration):
      if checkName(service, reply) { reply.send(deny(network, service: service, duration: duration)) }
    case .allow(let network, let service):
      if checkName(service, reply) { reply.send(allow(network, service: service)) }
    case .upgrade: requestUpgrade(reply)
    case .stop: stop(reply)
    }
  }

  /// Orders are remembered: they change what clients see.
  private func logOrder(_ request: ControlRequest) {
    guard !request.name.isQuestion else { return }
    let peerText = PeerText(addressForm(of: request))
    let line = request.line { peerText.network($0) }
    logger.info("control: \(String(decoding: line.dropLast(), as: UTF8.self))")
  }

  /// How much of a client's address may be logged: an order for several services hides as much as one of them does.
  private func addressForm(of request: ControlRequest) -> LogAddress {
    let service: String? =
      switch request {
      case .deny(_, let service, _), .allow(_, let service), .end(.source(_, let service)): service
      case .status, .connections, .reload, .drain, .resume, .end, .upgrade, .stop: nil
      }
    let forms = allServices.filter { service == nil || $0.name == service }.map(\.configuration.settings.logAddress)
    return forms.max { $0.number < $1.number } ?? .full
  }

  // MARK: Questions

  private var statusReport: StatusReport {
    let now = SystemClock.monotonic()
    let boards = boards
    return daemonState(now: now).report(now: now) { boards[$0] }
  }

  /// The scoreboards by the numbers that the state has of them.
  private var boards: [UInt32: ScoreboardReader] {
    Dictionary(uniqueKeysWithValues: allServices.flatMap(\.generations).map { ($0.boardNumber, $0.board) })
  }

  /// More connections are counted only: a report shall not keep the loop for long.
  private static let maxConnections = 10_000

  private func connections(of service: String?) -> ControlAnswer {
    if let service, !allServices.contains(where: { $0.name == service }) {
      return .failure(unknownService(service))
    }
    let now = SystemClock.monotonic()
    let boards = boards
    return .connections(
      daemonState(now: now, maxDenials: 0).connections(
        of: service, atMost: Self.maxConnections, now: now, board: { boards[$0] },
        name: { [resolver] in resolver?.name(of: $0) }))
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
