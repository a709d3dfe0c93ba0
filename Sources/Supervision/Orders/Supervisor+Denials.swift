import Admission
import Control
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Networks that are denied: in force for the next client, for every listener of the service, over reloads.
extension Supervisor {
  /// - Parameter service: nil denies the network at all services.
  /// - Parameter duration: nil is forever.
  func deny(_ network: IPNetwork, service: String?, duration: Duration?) -> ControlAnswer {
    if duration == nil, let failure = DenialCheck.refusal(of: network, service: service) { return .failure(failure) }
    let now = Deadline.now
    let ban = Ban(
      network, service: service.map(number(ofService:)) ?? BanTable.allServices,
      until: duration.map { now.advanced(by: $0) } ?? .never)
    let place = service.map { " at \($0)" } ?? ""
    let time = duration.map { " for \(DurationText.render($0))" } ?? ""
    switch starter.bans.table.add(ban, now: now) {
    case .added: return .order(OrderReport("\(network) is denied\(place)\(time)", count: 1))
    case .changed: return .order(OrderReport("\(network) was denied before, and is now\(place)\(time)", count: 1))
    case .full:
      return .failure(
        ControlFailure(
          "\(network) is not denied: there are \(BanTable.capacity) denials, and there is no room for more; end some by begat allow, or deny a network"
        ))
    }
  }

  func allow(_ network: IPNetwork, service: String?) -> ControlAnswer {
    starter.bans.table.removeExpired()
    let number = service.map(number(ofService:)) ?? BanTable.allServices
    let place = service.map { " at \($0)" } ?? ""
    let wasDenied = starter.bans.table.remove(network, service: number)
    let holding = starter.bans.table.covering(network).filter {
      service == nil || $0.service == number || $0.service == BanTable.allServices
    }
    let covering = holding.map { ban in
      "\(network) is still denied by \(ban.network)\(nameOfService(ban.service).map { " at \($0)" } ?? "")"
    }
    // The order is fulfilled already: a denial may have expired in the meantime.
    let pardoned = pardon(network, service: service)
    if pardoned > 0 {
      let sources = pardoned == 1 ? "1 source" : "\(pardoned) sources"
      return .order(
        OrderReport(
          "\(network) is denied no more\(place): deny-time is over for \(sources)", count: 1, problems: covering))
    }
    guard wasDenied else {
      return .order(OrderReport("\(network) was not denied\(place)", count: 0, problems: covering))
    }
    return .order(OrderReport("\(network) is denied no more\(place)", count: 1, problems: covering))
  }

  /// Ends what `deny-time` has decided on a network.
  ///
  /// - Returns: how many sources of services were denied.
  private func pardon(_ network: IPNetwork, service: String?) -> Int {
    services.filter { service == nil || $0.name == service }
      .reduce(0) { $0 + ((try? AdmissionBook.pardon(network, in: $1.admissionBook)) ?? 0) }
  }
}
