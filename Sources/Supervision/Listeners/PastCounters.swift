import ControlProtocol

/// The counts of services that the configuration has given up, by name: the next service of a name goes on from there, so
/// that what is counted under a name never falls.
struct PastCounters {
  private var counters: [String: ServiceCounters] = [:]

  /// The counts of each name.
  var all: [(name: String, counts: ServiceCounters)] { counters.sorted { $0.key < $1.key }.map { ($0, $1) } }

  /// Keeps the counts of a service whose last listener has ended.
  mutating func keep(_ service: ManagedService) {
    keep(service.totals, of: service.name)
    service.totals = ServiceCounters()
  }

  /// Keeps counts of a name.
  mutating func keep(_ counts: ServiceCounters, of name: String) {
    counters[name, default: ServiceCounters()].add(counts)
  }

  /// Gives the counts of a name to the service that has it now.
  ///
  /// - Parameter leaving: the services that are given up and still have listeners.
  mutating func pass(to service: ManagedService, from leaving: [ManagedService]) {
    for former in leaving where former.name == service.name { keep(former) }
    if let counters = counters.removeValue(forKey: service.name) { service.totals.add(counters) }
  }
}
