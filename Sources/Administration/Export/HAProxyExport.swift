import Configuration
import Settings
@_spi(Begat) import UnixCore

/// A configuration of HAProxy for machines that run begatd with one and the same configuration.
struct HAProxyExport {
  /// A service that is left out, in words.
  struct LeftOut {
    let service: ServiceConfiguration
    /// The part of it, if not all.
    let part: String
    let reason: String
  }

  let options: BalancerOptions
  /// The file that begatd's configuration was read from.
  let source: String
  let services: [BalancedService]
  let leftOut: [LeftOut]
  /// The port at which begatd tells HAProxy its state; nil where no service does.
  let agentPort: UInt16?
  /// Problems that hold only behind a balancer.
  let remarks: [ConfigurationProblem]

  init(_ configuration: Configuration, _ options: BalancerOptions) {
    self.options = options
    source = configuration.source
    var services: [BalancedService] = []
    var leftOut: [LeftOut] = []
    for service in configuration.services where service.settings.enabled && !service.isAgent {
      do throws(BalancedService.Omission) {
        let balanced = try BalancedService(service)
        guard options.servers.contains(where: { balanced.port(at: $0.host) != nil }) else {
          throw .init("it does not listen in the family of any server's address")
        }
        services.append(balanced)
        if !service.datagrams.isEmpty {
          leftOut.append(LeftOut(service: service, part: "datagrams", reason: "HAProxy balances connections alone"))
        }
      } catch { leftOut.append(LeftOut(service: service, part: "", reason: error.reason)) }
    }
    self.services = services
    self.leftOut = leftOut
    let agent = configuration.services.first { $0.settings.enabled && $0.isAgent }
    agentPort = agent.flatMap { try? BalancedService.reachablePorts($0).first?.number }
    let checks = BalancerChecks(options: options, daemon: configuration.daemon, source: configuration.source)
    remarks = services.flatMap(checks.remarks) + checks.agentRemarks(agent, port: agentPort)
  }
}

extension ServiceConfiguration {
  /// Whether it tells HAProxy the state of the others.
  fileprivate var isAgent: Bool { builtIn == .haproxyAgent }
}
