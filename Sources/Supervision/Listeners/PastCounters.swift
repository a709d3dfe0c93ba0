import ControlProtocol

/// The counts of services that the configuration has given up, by name: the next service of a name goes on from there, so
/// that what is counted under a name never falls.
struct PastCounters {
  private var counters: [String: ServiceCounters] = [:]

  /// Keeps the counts of a service whose last listener has ended.
  mutating func keep(_ service: ManagedService) {
    counters[service.name, default: ServiceCounters()].add(service.totals)
    service.totals = ServiceCounters()
  }

  /// Gives the counts of a name to the service that has it now.
  ///
  /// - Parameter leaving: the services that are given up and still have listeners.
  mutating func pass(to service: ManagedService, from leaving: [ManagedService]) {
    for former in leaving where former.name == service.name { keep(former) }
    if let counters = counters.removeValue(forKey: service.name) { service.totals.add(counters) }
  }
}
