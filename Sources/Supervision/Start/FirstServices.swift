import Admission
import Configuration
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Why nothing can be served; one line each.
struct StartProblems: Error {
  var lines: [String]
}

/// The services that begatd begins with: their sockets, which were passed, left by a former begatd or are bound, and the
/// listeners that are left.
struct FirstServices {
  private(set) var services: [ManagedService] = []
  /// Those that the configuration does not have any more.
  private(set) var leaving: [ManagedService] = []
  /// The counts of services that have no listener any more.
  private(set) var pastCounters = PastCounters()
  /// The number of each name in the table of bans.
  private(set) var numbers: [String: UInt32]
  /// Those that are in force already, and the number of the table that had them.
  let bans: [Ban]
  let formerBans: UInt64
  /// The number of the last scoreboard of a listener that is left.
  var lastBoard: UInt32 { inheritance.lastBoard }
  private var inheritance: Inheritance
  /// The names of hosts that are known already; nil if there are none.
  let nameCache: SharedFile?

  /// How long listeners of a begatd that was killed may take to let go of addresses.
  private static let patience = Duration.seconds(2)

  /// - Parameter passed: the sockets that the manager passed, and what a former begatd has left.
  /// - Parameter keepsDrains: whether services that accepted no clients go on so.
  /// - Parameter store: gives up the sockets that no service wants.
  /// - Throws: all that cannot be had; then no socket is left open that was bound.
  init(
    _ loaded: [LoadedService], _ passed: PassedSockets, keepsDrains: Bool = false, store: DescriptorStore?,
    _ logger: Logger
  ) throws(StartProblems) {
    var inheritance = Inheritance(passed.kept)
    for warning in passed.warnings + inheritance.warnings { logger.warning("\(warning)") }
    numbers = inheritance.serviceNumbers
    bans = inheritance.bans()
    formerBans = inheritance.state.bans
    nameCache = inheritance.nameCache()
    let drained = keepsDrains ? inheritance.drainedServices : []
    let wanted = loaded.map(\.configuration)
    try FirstServices.prepareRuntimeDirectory(for: wanted)
    var left = inheritance.takeSockets()
    self.inheritance = inheritance
    let assignment = FirstServices.assign(wanted, passed.sockets, &left, drained: drained, store, logger)
    let open = passed.sockets + left.map(\.socket)
    let opening = SocketOpening(
      wanted, assignment, open: open,
      binder: SocketBinder(deadline: Deadline(after: FirstServices.patience)))
    for warning in opening.warnings {
      logger.warning("\(warning.text)", metadata: [LogKey.service: "\(warning.service)"])
    }
    var problems = opening.problems
    for (index, service) in loaded.enumerated() {
      let sockets = opening.sockets[index]
      let isDrained = drained.contains(service.configuration.name)
      if sockets.isEmpty && !isDrained || assignment.isInactive(index) {
        sockets.removeFiles()
        guard opening.problems.isEmpty else { continue }
        let reason =
          assignment.isInactive(index) ? "its socket was not passed" : "this machine has none of its addresses"
        logger.warning("inactive: \(reason)", metadata: [LogKey.service: "\(service.configuration.name)"])
        continue
      }
      guard problems.isEmpty else { continue }
      do throws(SystemCallError) {
        services.append(try makeService(service, sockets, isDrained: isDrained, keepsDrains: keepsDrains))
      } catch {
        problems.append("service.\(service.configuration.name): \(error.withAdvice)")
      }
    }
    for warning in passed.closing(assignment.rest) { logger.warning("\(warning)") }
    if problems.isEmpty, services.isEmpty {
      let arePassed = loaded.indices.contains(where: assignment.isInactive)
      problems = [
        "no service to offer: \(arePassed ? "the sockets of none were passed" : "this machine has none of their addresses")"
      ]
    }
    guard problems.isEmpty else {
      opening.undo()
      throw StartProblems(lines: problems)
    }
    adoptLeaving(logger)
    self.inheritance.close()
  }

  private static func prepareRuntimeDirectory(for services: [ServiceConfiguration]) throws(StartProblems) {
    guard services.contains(where: \.usesRuntimeDirectory) else { return }
    do throws(RuntimeDirectory.Refusal) { try RuntimeDirectory.prepare() } catch {
      throw StartProblems(lines: ["\(error)"])
    }
  }

  // MARK: Sockets

  /// Chooses sockets that are open for the services.
  ///
  /// - Parameter left: the sockets that a former begatd has left.  Those are let go of that no service wants, or that
  ///   cannot have its options: their addresses are free before anything is bound.
  private static func assign(
    _ wanted: [ServiceConfiguration], _ passed: [HeldSocket], _ left: inout [InheritedSocket],
    drained: Set<String>, _ store: DescriptorStore?, _ logger: Logger
  ) -> SocketAssignment {
    var assignment = assignment(wanted, passed, left, drained)
    var usable: [InheritedSocket] = []
    for (service, sources) in zip(wanted, assignment.sources) {
      for case .open(let index) in sources where index >= passed.count {
        let inherited = left[index - passed.count]
        do throws(SystemCallError) {
          try inherited.socket.apply(service)
          usable.append(inherited)
        } catch {
          logger.notice(
            "\(inherited.socket.address) cannot have the options of the service, and is bound anew: \(error)",
            metadata: [LogKey.service: "\(service.name)"])
        }
      }
    }
    left = usable
    assignment = Self.assignment(wanted, passed, left, drained)
    store?.giveUpSockets(except: left.map(\.socket), until: Deadline(after: patience))
    return assignment
  }

  private static func assignment(
    _ wanted: [ServiceConfiguration], _ passed: [HeldSocket], _ left: [InheritedSocket], _ drained: Set<String>
  ) -> SocketAssignment {
    SocketAssignment(
      wanted, open: passed.map { $0.open(of: nil) } + left.map { $0.socket.open(of: $0.service) }, drained: drained)
  }

  // MARK: Services

  private mutating func makeService(
    _ loaded: LoadedService, _ sockets: [HeldSocket], isDrained: Bool, keepsDrains: Bool
  ) throws(SystemCallError) -> ManagedService {
    let name = loaded.configuration.name
    switch inheritance.takeService(name) {
    case .some(let left):
      let service = try ManagedService(loaded, number: number(of: name), sockets: sockets, book: left.book)
      service.adopt(left.saved, left.generations)
      if isDrained {
        _ = service.drain.close()
        for socket in sockets { _ = socket.dropNewClients() }
      } else if keepsDrains, let time = left.saved.closingTime {
        _ = service.drain.begin(at: time, announceTime: 0)
      }
      return service
    case nil: return try ManagedService(loaded, number: number(of: name), sockets: sockets)
    }
  }

  /// Takes over the listeners of services that are not offered any more, which let their connections end.
  private mutating func adoptLeaving(_ logger: Logger) {
    for name in inheritance.serviceNames {
      guard let left = inheritance.takeService(name) else { continue }
      guard !left.generations.isEmpty else {
        pastCounters.keep(left.saved.totals, of: name)
        continue
      }
      var settings = ServiceSettings()
      settings.logAddress = left.saved.logAddress
      let configuration = ServiceConfiguration(left: name, settings: settings, waits: left.saved.waits)
      let loaded = LoadedService(configuration: configuration, inputs: ListenerInputs())
      do throws(SystemCallError) {
        let service = try ManagedService(loaded, number: number(of: name), sockets: [])
        _ = service.drain.close()
        service.adopt(left.saved, left.generations)
        leaving.append(service)
      } catch {
        logger.error("\(error.withAdvice)", metadata: [LogKey.service: "\(name)"])
        pastCounters.keep(left.saved.totals, of: name)
      }
    }
    for service in services { pastCounters.pass(to: service, from: []) }
  }

  private mutating func number(of name: String) -> UInt32 {
    if let number = numbers[name] { return number }
    let number = numbers.nextNumber
    numbers[name] = number
    return number
  }
}

extension [String: UInt32] {
  /// A number that none of the values is, from 1.
  var nextNumber: UInt32 {
    let used = Set(values)
    var number = UInt32(count + 1)
    while number == 0 || used.contains(number) { number &+= 1 }
    return number
  }
}

extension SocketAssignment {
  /// Whether a socket that the manager should have passed for a service is missing.
  func isInactive(_ service: Int) -> Bool {
    sources[service].contains { if case .missing = $0 { true } else { false } }
  }
}

extension ServiceConfiguration {
  /// Whether a socket of it is to be in the directory of begatd's own sockets.
  var usesRuntimeDirectory: Bool {
    (streams + datagrams).contains { address in
      if case .address(.unixPath(let path), _) = address {
        path.bytes.starts(with: (RuntimeDirectory.path + "/").utf8)
      } else {
        false
      }
    }
  }
}

extension [HeldSocket] {
  /// Removes the files of Unix sockets that begatd made.
  func removeFiles() { for socket in self where !socket.staysOpen { socket.file?.removeIfOurs() } }
}

extension [ManagedService] {
  /// The ports at which they answer datagrams.  Passed sockets count too: what matters is who answers.
  var datagramPorts: [UInt16] {
    let ports = flatMap(\.sockets).filter(\.isDatagram).compactMap(\.address.port)
    // A drained service answers at the same ones when it serves again.
    return Set(ports + flatMap(\.former).filter(\.isDatagram).compactMap(\.address.port)).sorted()
  }
}
