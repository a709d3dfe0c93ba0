import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Opens the sockets of services as an assignment says: all of them, or none.
struct SocketOpening {
  /// The sockets of each service, in the order of its addresses.
  private(set) var sockets: [[HeldSocket]] = []
  /// Why a service cannot be offered as configured; one line each.
  private(set) var problems: [String] = []
  /// Things that are missing and can be done without, by the name of the service.
  private(set) var warnings: [(service: String, text: String)] = []
  /// Whether an address is in use, so that it may be free a moment later.
  private(set) var hasAddressInUse = false
  /// Whether no descriptor was left: every further address would fail for the same reason.
  private var isShortOfDescriptors = false
  /// Those that were bound just now.
  private var bound: [HeldSocket] = []

  /// - Parameter open: the sockets that were open before, as the assignment numbers them.
  init(
    _ services: [ServiceConfiguration], _ assignment: SocketAssignment, open: [HeldSocket], binder: SocketBinder
  ) {
    var binder = binder
    for (service, sources) in zip(services, assignment.sources) {
      var opened: [HeldSocket] = []
      for source in sources {
        switch source {
        case .open(let index): opened.append(open[index])
        case .new(let address, let isDatagram, let isOptional):
          guard let socket = bind(address, of: service, isDatagram: isDatagram, isOptional, binder) else { continue }
          binder.held.append((service.name, socket))
          bound.append(socket)
          opened.append(socket)
        case .missing(let name, let isDatagram):
          let kind = isDatagram ? "datagram" : "listening"
          warnings.append((service.name, "no \(kind) socket named \(printable(name)) was passed"))
        }
      }
      checkPassed(opened, of: service)
      sockets.append(opened)
    }
  }

  private mutating func bind(
    _ address: SocketAddress, of service: ServiceConfiguration, isDatagram: Bool, _ isOptional: Bool,
    _ binder: SocketBinder
  ) -> HeldSocket? {
    guard !isShortOfDescriptors else { return nil }
    do throws(BindProblem) { return try binder.bind(address, of: service, isDatagram: isDatagram) } catch {
      if error.isInUse { hasAddressInUse = true }
      isShortOfDescriptors = error.isShortage
      if error.isDispensable || isOptional && error.isMissing {
        warnings.append((service.name, "\(address): this machine lacks the address or its family; served without it"))
      } else {
        problems.append(SocketOpening.problem(service, error.description))
      }
      return nil
    }
  }

  private mutating func checkPassed(_ sockets: [HeldSocket], of service: ServiceConfiguration) {
    let passed = sockets.filter { $0.passedName != nil }
    guard !passed.isEmpty else { return }
    let check = PassedSocketCheck(service)
    problems += passed.flatMap(check.problems).map { SocketOpening.problem(service, $0) }
    problems += service.keysWithoutEffect(on: Set(sockets.map(\.kind)))
  }

  private static func problem(_ service: ServiceConfiguration, _ text: String) -> String {
    "\(service.place): service.\(service.name): \(text)"
  }

  /// Closes the sockets that were bound, and removes their files.
  func undo() { for socket in bound { socket.file?.removeIfOurs() } }
}

extension ServiceConfiguration {
  /// Keys that the service's own table sets and that have no effect on sockets of these kinds, with the reason: the service
  /// manager may pass a socket of any kind.
  func keysWithoutEffect(on kinds: Set<ServiceMode.SocketKind>) -> [String] {
    var mode = mode
    mode.sockets = kinds
    return ServiceRules.violations(of: settings, own: ownKeys, in: mode).map { violation in
      let origin = origins[violation.key]?.description ?? "\(place): \(violation.key)"
      return "\(origin): \(violation.message); look at the sockets that were passed"
    }
  }
}
