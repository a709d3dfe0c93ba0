/// Clients from various addresses of this machine.
extension Daemon {
  /// Whether a client from an address is served, by a service that speaks first.
  func serves(_ source: String, at service: String = "time") throws -> Bool {
    guard let client = try? Client(try address(service), from: source) else { return false }
    return client.hears(within: .seconds(5)) && !((try? client.receive(count: 1)) ?? []).isEmpty
  }
}
