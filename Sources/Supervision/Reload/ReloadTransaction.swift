import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Why a configuration is not put in force; one line each.
struct ReloadRefusal: Error {
  var lines: [String]
  /// Whether an address is in use, which it may not be a moment later.
  var isAddressInUse = false
}

/// The first half of a reload: everything that can fail, undone if anything does.
struct ReloadTransaction {
  let plan: ReloadPlan
  /// The sockets of each wanted service.
  private(set) var sockets: [[HeldSocket]] = []
  /// The services that are new, in the order of the plan.
  private(set) var added: [ManagedService] = []
  /// For the services that greet by name, where none did before.
  private(set) var resolver: NameResolver?
  /// Problems with which the service can be offered all the same.
  private(set) var warnings: [(service: String, text: String)] = []
  /// Wanted services that the service manager has passed no socket for: they are not offered.
  private(set) var inactive: Set<Int> = []

  /// - Parameter open: the sockets that are open, in the order of the plan's.
  /// - Parameter owners: the services that have them.
  /// - Parameter number: gives each name of a service its number.
  init(
    _ plan: ReloadPlan, open: [HeldSocket], owners: [ManagedService], services: [ManagedService],
    starter: ListenerStarter, number: (String) -> UInt32
  ) throws(ReloadRefusal) {
    self.plan = plan
    let wanted = plan.wanted.map(\.configuration)
    try ReloadTransaction.prepareRuntimeDirectory(for: wanted)
    let binder = SocketBinder(
      givenUp: plan.sockets.rest.map { open[$0] } + services.flatMap { $0.closing + $0.lingering },
      held: zip(open, owners).map { ($1.name, $0) })
    let opening = SocketOpening(wanted, plan.sockets, open: open, binder: binder)
    sockets = opening.sockets
    warnings = opening.warnings
    var problems = opening.problems
    for index in wanted.indices where plan.sockets.isInactive(index) || opening.sockets[index].isEmpty {
      if !plan.isDrained(index) { inactive.insert(index) }
    }
    for change in plan.kept where inactive.contains(change.new) {
      let reason =
        plan.sockets.isInactive(change.new)
        ? "its socket was not passed to this begatd; restart it, or leave the key as it was"
        : "this machine has none of its addresses"
      problems.append("service.\(wanted[change.new].name): \(reason)")
    }
    let kept = KeptSockets(plan, open: open, owners: owners)
    do throws(ReloadRefusal) {
      guard problems.isEmpty else {
        throw ReloadRefusal(lines: problems, isAddressInUse: opening.hasAddressInUse)
      }
      try kept.apply()
      do throws(SystemCallError) {
        for index in plan.added where !inactive.contains(index) {
          let service = plan.wanted[index]
          added.append(
            try ManagedService(service, number: number(service.configuration.name), sockets: sockets[index]))
        }
        if starter.names == nil, plan.resolver != .none, wanted.contains(where: \.settings.looksUpNames) {
          resolver = try NameResolver(
            as: plan.resolver, program: starter.programs.begatd, standardError: starter.standardError,
            limits: starter.limits)
        }
      } catch {
        throw ReloadRefusal(lines: [error.withAdvice] + kept.restore())
      }
    } catch {
      opening.undo()
      throw error
    }
  }

  private static func prepareRuntimeDirectory(for services: [ServiceConfiguration]) throws(ReloadRefusal) {
    guard services.contains(where: \.usesRuntimeDirectory) else { return }
    do throws(RuntimeDirectory.Refusal) { try RuntimeDirectory.prepare() } catch {
      throw ReloadRefusal(lines: ["\(error)"])
    }
  }
}

/// Sockets that go on under another configuration.
private struct KeptSockets {
  private struct Entry {
    let socket: HeldSocket
    let old: ServiceConfiguration
    let new: ServiceConfiguration
  }

  private var entries: [Entry] = []

  init(_ plan: ReloadPlan, open: [HeldSocket], owners: [ManagedService]) {
    let changed = Set(plan.changed.map(\.new)).union(plan.added)
    for index in changed {
      for case .open(let socket) in plan.sockets.sources[index] {
        entries.append(
          Entry(
            socket: open[socket], old: owners[socket].configuration, new: plan.wanted[index].configuration))
      }
    }
  }

  /// Gives all of them their new options, or leaves them all as they were.
  func apply() throws(ReloadRefusal) {
    for entry in entries {
      do throws(SystemCallError) { try entry.socket.apply(entry.new) } catch {
        let place = "\(entry.new.place): service.\(entry.new.name)"
        let line = "\(place): \(entry.socket.address): \(error); begatd can change it when it starts"
        throw ReloadRefusal(lines: [line] + restore())
      }
    }
  }

  /// Gives them their former options back.
  ///
  /// - Returns: a line for each that keeps new ones, as an interface that only CAP_NET_RAW could take away.
  func restore() -> [String] {
    var lines: [String] = []
    for entry in entries {
      do throws(SystemCallError) { try entry.socket.apply(entry.old) } catch {
        lines.append(
          "service.\(entry.old.name): \(entry.socket.address) keeps new options until begatd is restarted: \(error)")
      }
    }
    return lines
  }
}
