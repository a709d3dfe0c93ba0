import Settings
@_spi(Begat) import UnixCore

/// The wishes of an export that no configuration of begatd contains.
public struct BalancerOptions: Hashable, Sendable {
  /// The machines; at least one.
  public var servers: [BalancedServer]
  /// Where the balancer listens, without ports; none stands for all its addresses.
  public var bindAddresses: [String]
  /// How often the balancer asks each machine for its state.
  public var agentInterval: Duration

  public init(servers: [BalancedServer], bindAddresses: [String] = [], agentInterval: Duration = .milliseconds(500)) {
    self.servers = servers
    self.bindAddresses = bindAddresses
    self.agentInterval = agentInterval
  }

  /// Reads an address of the balancer's.
  ///
  /// - Returns: the address as HAProxy writes it before a port.
  public static func bindAddress(parsing text: String) throws(BalancerArgumentError) -> String {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    if let address = IPv6Address(isBracketed ? String(text.dropFirst().dropLast()) : text) { return "[\(address)]" }
    if let address = IPv4Address(text) { return "\(address)" }
    throw BalancerArgumentError("expected an IPv4 or IPv6 address without a port, found \(quoted(text))")
  }
}
