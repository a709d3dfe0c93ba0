import Configuration
import Settings
@_spi(Begat) import UnixCore

/// Finds settings that are right for one machine, and wrong for machines behind a balancer.
struct BalancerChecks {
  let options: BalancerOptions
  let daemon: DaemonSettings
  /// The file to name where no line of it is to blame.
  let source: String

  func remarks(_ service: BalancedService) -> [ConfigurationProblem] {
    var remarks: [ConfigurationProblem] = []
    if service.proxyOption == nil {
      let limits = service.configuration.settings.admission
      remarks.append(
        remark(
          service.configuration,
          "it has no proxy-from, so that begat takes the balancer for its only client: "
            + "max-connections-per-source (\(limits.maxConnectionsPerSource)), rate-per-source, allow and deny hold for "
            + "all clients together; add proxy-from = [\"ADDRESS OF THE BALANCER\"]"))
    }
    let unreached = options.servers.filter { service.port(at: $0.host) == nil }
    if !unreached.isEmpty {
      remarks.append(
        remark(
          service.configuration,
          "left out for \(unreached.map(\.name).joined(separator: ", ")): it does not listen in the family of the address"
        ))
    }
    return remarks
  }

  /// - Parameter port: where the agent listens for other machines; nil where it does not.
  func agentRemarks(_ agent: ServiceConfiguration?, port: UInt16?) -> [ConfigurationProblem] {
    guard let agent else {
      return [
        ConfigurationProblem(
          file: source,
          message: """
            no service has serve = "haproxy-agent": HAProxy then learns of a drain only by connections that are refused; \
            add [service.agent] with serve = "haproxy-agent" and listen-stream = ["9346"]
            """)
      ]
    }
    guard port != nil else {
      return [remark(agent, "HAProxy on another machine does not reach it: give it an address with a fixed port")]
    }
    if agent.settings.requiresProxies {
      return [
        remark(agent, "HAProxy asks an agent without a PROXY header, and is refused: set proxy-from = [] in this table")
      ]
    }
    let needed = options.agentInterval * 2 + .seconds(1)
    guard daemon.announceTime < needed else { return [] }
    return [
      ConfigurationProblem(
        file: source,
        message:
          "announce-time is \(DurationText.render(daemon.announceTime)): HAProxy learns of a stop only after up to "
          + "\(DurationText.render(options.agentInterval)), and clients that come before are connected a second time; "
          + "set announce-time = \"3s\" or more in [daemon]")
    ]
  }

  private func remark(_ service: ServiceConfiguration, _ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: service.place, key: keyText(["service", service.name]), message: message)
  }
}
