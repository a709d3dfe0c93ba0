import Admission
import Configuration
import ProxyProtocol
import Settings
@_spi(Begat) import UnixCore

/// The settings of a service that concern a balancer in front of it.
struct BalancedService {
  let configuration: ServiceConfiguration
  /// The ports that clients connect to, and the balancer to the machines.
  let ports: ReachablePorts

  var name: String { configuration.name }

  init(_ configuration: ServiceConfiguration) throws(Omission) {
    if let builtIn = configuration.builtIn, builtIn.needsSupervisor {
      throw Omission(of: configuration, "it reports on the machine that it runs on: ask each machine itself")
    }
    self.configuration = configuration
    ports = try ReachablePorts(configuration)
    if configuration.waits {
      throw Omission(
        of: configuration, "with wait its program accepts clients itself, and would see the balancer as its only client"
      )
    }
  }

  /// The balancer's idle timeout, longer than begat's so that begat ends and logs the connection; nil if begat sets none.
  var idleTimeout: Duration? {
    let settings = configuration.settings
    let isTimed = ServiceSettings.key(named: "idle-timeout")?.reasonWithoutEffect(settings, configuration.mode) == nil
    let idle = isTimed ? settings.idleTimeout.map { max($0, settings.firstByteLimit ?? .zero) } : nil
    return (idle ?? settings.maxDuration).map { $0 + .seconds(10) }
  }

  /// The option by which HAProxy sends clients' addresses; nil if begat does not expect them.
  var proxyOption: String? {
    let settings = configuration.settings
    guard settings.requiresProxies else { return nil }
    return settings.proxyVersion == .one ? "send-proxy" : "send-proxy-v2"
  }

  /// The number of concurrent connections per server; nil if begat is to refuse those over its limit.
  var maxConnections: Int? {
    let admission = configuration.settings.admission
    return admission.whenFull == .wait ? admission.maxConnections : nil
  }
}
