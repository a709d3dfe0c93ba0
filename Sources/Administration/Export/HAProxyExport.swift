import Configuration
import Settings
@_spi(Begat) import UnixCore

/// A configuration of HAProxy for machines that run begatd with the same configuration.
struct HAProxyExport {
  let options: BalancerOptions
  /// The file that begatd's configuration was read from.
  let source: String
  let services: [BalancedService]
  let omissions: [Omission]
  /// The ports of the service that reports the others' states to HAProxy; nil if no server can be asked.
  let agentPorts: ReachablePorts?
  /// Problems of a configuration that is right for one machine.
  let warnings: [ConfigurationProblem]

  init(_ configuration: Configuration, _ options: BalancerOptions) {
    self.options = options
    source = configuration.source
    var services: [BalancedService] = []
    var omissions: [Omission] = []
    var holders: [UInt16: String] = [:]
    for service in configuration.services where service.settings.enabled && !service.isAgent {
      do throws(Omission) {
        let balanced = try BalancedService(service)
        guard options.servers.contains(where: { balanced.ports.number(at: $0.host) != nil }) else {
          throw Omission(of: service, "it does not listen in the family of any server's address")
        }
        // A frontend listens at all addresses of the balancer, or at those of --bind, whatever a service's own are.
        if let number = balanced.ports.numbers.first(where: { holders[$0] != nil }), let holder = holders[number] {
          throw Omission(
            of: service, "its port \(number) is also that of \(holder), and HAProxy knows services by ports")
        }
        for number in balanced.ports.numbers { holders[number] = service.name }
        services.append(balanced)
        if !service.datagrams.isEmpty {
          omissions.append(Omission(of: service, part: "datagrams", "HAProxy balances only connections"))
        }
      } catch { omissions.append(error) }
    }
    self.services = services
    self.omissions = omissions
    let agents = configuration.services.filter { $0.settings.enabled && $0.isAgent }
    let ports = agents.first.flatMap { try? ReachablePorts($0) }
    agentPorts = options.servers.contains { ports?.number(at: $0.host) != nil } ? ports : nil
    let checks = BalancerChecks(options: options, daemon: configuration.daemon, source: configuration.source)
    warnings = services.flatMap(checks.warnings) + checks.agentWarnings(agents, ports: ports)
  }
}

extension ServiceConfiguration {
  /// Whether it reports the states of the others to HAProxy.
  fileprivate var isAgent: Bool { builtIn == .haproxyAgent }
}
