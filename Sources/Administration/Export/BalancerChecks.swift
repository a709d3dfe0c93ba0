import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Finds settings that are right for one machine, and wrong for machines behind a balancer.
struct BalancerChecks {
  let options: BalancerOptions
  let daemon: DaemonSettings
  /// The file to name if no line of it is to blame.
  let source: String

  func warnings(_ service: BalancedService) -> [ConfigurationProblem] {
    var warnings: [ConfigurationProblem] = []
    if service.proxyOption == nil {
      let limits = service.configuration.settings.admission
      warnings.append(
        warning(
          service.configuration,
          "no proxy-from: begat sees the balancer as its only client, so that max-connections-per-source "
            + "(\(limits.maxConnectionsPerSource)), rate-per-source, allow and deny apply to all clients together; "
            + "add proxy-from = [\"ADDRESS OF THE BALANCER\"]"))
    }
    if let unreached = unreached(service.ports) {
      warnings.append(warning(service.configuration, "left out for \(unreached)"))
    }
    return warnings
  }

  /// - Parameter ports: the ports at which other machines reach the first agent; nil if they do not.
  func agentWarnings(_ agents: [ServiceConfiguration], ports: ReachablePorts?) -> [ConfigurationProblem] {
    guard let agent = agents.first else {
      return [
        ConfigurationProblem(
          file: source,
          message: """
            no service has serve = "haproxy-agent": HAProxy learns of a drain only when connections are refused; add \
            [service.agent] with serve = "haproxy-agent" and listen-stream = ["9346"]
            """)
      ]
    }
    guard let ports else {
      return [warning(agent, "HAProxy on another machine does not reach it: give it an address with a fixed port")]
    }
    var warnings = agents.dropFirst().map { warning($0, "HAProxy asks \(agent.name) instead; remove one of the two") }
    if let unreached = unreached(ports) { warnings.append(warning(agent, "no agent check for \(unreached)")) }
    return warnings + announceWarnings
  }

  /// HAProxy must have asked while begat announces a stop.
  private var announceWarnings: [ConfigurationProblem] {
    let needed = options.agentInterval * 2 + .seconds(1)
    guard daemon.announceTime < needed else { return [] }
    return [
      ConfigurationProblem(
        file: source,
        message:
          "announce-time is \(DurationText.render(daemon.announceTime)), but HAProxy asks only every "
          + "\(DurationText.render(options.agentInterval)): until it learns of a stop its new connections are refused and "
          + "retried on another machine; set announce-time = \"\(DurationText.render(needed))\" or more in [daemon]")
    ]
  }

  /// The servers whose addresses are of the family in which a service does not listen; nil if there are none.
  private func unreached(_ ports: ReachablePorts) -> String? {
    let servers = options.servers.filter { ports.number(at: $0.host) == nil }
    guard let first = servers.first else { return nil }
    let family = if case .ipv6 = first.host { "IPv6" } else { "IPv4" }
    return "\(servers.map(\.name).joined(separator: ", ")): it does not listen on \(family)"
  }

  private func warning(_ service: ServiceConfiguration, _ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: service.place, key: keyText(["service", service.name]), message: message)
  }
}
