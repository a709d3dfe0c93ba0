import Settings
@_spi(Begat) import UnixCore

/// Options of an export that begatd's configuration does not contain.
public struct BalancerOptions: Hashable, Sendable {
  /// The machines; at least one.
  public var servers: [BalancedServer]
  /// The balancer's addresses, without ports; empty for all.
  public var bindAddresses: [String]
  /// The time between two requests to the agent of a machine about one service.
  public var agentInterval: Duration

  public init(servers: [BalancedServer], bindAddresses: [String] = [], agentInterval: Duration = .milliseconds(500)) {
    self.servers = servers
    self.bindAddresses = bindAddresses
    self.agentInterval = agentInterval
  }

  /// Reads the time between two requests to an agent, at most a day; HAProxy accepts no more than 24.
  public static func agentInterval(parsing text: String) throws(BalancerArgumentError) -> Duration {
    guard let interval = DurationText.parse(text), interval > .zero, interval <= .seconds(86_400) else {
      throw BalancerArgumentError("expected a time of at most 1d, such as 500ms or 2s, found \(quoted(text))")
    }
    return interval
  }

  /// Reads an address of the balancer.
  ///
  /// - Returns: the address in HAProxy's form before a port.
  public static func bindAddress(parsing text: String) throws(BalancerArgumentError) -> String {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    if let address = IPv6Address(isBracketed ? String(text.dropFirst().dropLast()) : text) { return "[\(address)]" }
    if let address = IPv4Address(text) { return "\(address)" }
    throw BalancerArgumentError("expected an IPv4 or IPv6 address without a port, found \(quoted(text))")
  }
}
