import Admission
import Configuration
import ProxyProtocol
import Settings
@_spi(Begat) import UnixCore

/// The settings of a service that concern a balancer in front of it.
struct BalancedService {
  /// A port of a service, by which other machines reach it.
  struct Port: Hashable {
    let isIPv6: Bool
    let number: UInt16
  }

  /// Why a service is not exported.
  struct Omission: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
  }

  let configuration: ServiceConfiguration
  /// Where clients connect, in the order of `listen-stream`; never empty.
  let ports: [Port]

  var name: String { configuration.name }

  init(_ configuration: ServiceConfiguration) throws(Omission) {
    if let builtIn = configuration.builtIn, builtIn.needsSupervisor {
      throw Omission("it tells about the machine that it runs on: each machine's own is asked")
    }
    self.configuration = configuration
    ports = try BalancedService.reachablePorts(configuration)
    if configuration.waits {
      throw Omission("with wait its program accepts clients itself, and would see the balancer as its only client")
    }
  }

  /// - Throws: why no other machine reaches the service.
  static func reachablePorts(_ service: ServiceConfiguration) throws(Omission) -> [Port] {
    guard !service.streams.isEmpty else {
      throw Omission("it listens for datagrams alone, which HAProxy does not balance")
    }
    let addresses = service.streams.compactMap { if case .address(let address, _) = $0 { address } else { nil } }
    let internet = addresses.filter { !$0.isUnix }
    guard !internet.isEmpty else {
      throw Omission("it has no internet address: HAProxy on another machine reaches no Unix socket and no fd: socket")
    }
    let reachable = internet.filter { !$0.isLoopback }
    guard !reachable.isEmpty else { throw Omission("it listens on loopback, which no other machine reaches") }
    var ports: [Port] = []
    for case let (address, number?) in reachable.map({ ($0, $0.port) }) where number != 0 {
      var port = Port(isIPv6: false, number: number)
      if case .ipv6 = address { port = Port(isIPv6: true, number: number) }
      if !ports.contains(port) { ports.append(port) }
    }
    guard !ports.isEmpty else { throw Omission("its port is 0: the kernel chooses another one on each machine") }
    return ports
  }

  /// The port at which the balancer connects to a server; nil if the service does not listen in the address's family.
  func port(at host: BalancedServer.Host) -> UInt16? {
    switch host {
    case .ipv4: ports.first { !$0.isIPv6 }?.number
    case .ipv6: ports.first { $0.isIPv6 }?.number
    case .name: ports.first?.number
    }
  }

  /// How long the balancer lets a connection be silent: longer than begat does, so that begat decides, and logs it; nil
  /// where begat sets no limit.
  var silence: Duration? {
    let settings = configuration.settings
    let isTimed = ServiceSettings.key(named: "idle-timeout")?.reasonWithoutEffect(settings, configuration.mode) == nil
    let idle = isTimed ? settings.idleTimeout.map { max($0, settings.firstByteLimit ?? .zero) } : nil
    return (idle ?? settings.maxDuration).map { $0 + .seconds(10) }
  }

  /// The option by which HAProxy sends clients' addresses; nil where begat does not expect them.
  var proxyOption: String? {
    let settings = configuration.settings
    guard settings.requiresProxies else { return nil }
    return settings.proxyVersion == .one ? "send-proxy" : "send-proxy-v2"
  }

  /// How many connections one server gets at once; nil where begat is to refuse those beyond its limit.
  var maxConnections: Int? {
    let admission = configuration.settings.admission
    return admission.whenFull == .wait ? admission.maxConnections : nil
  }
}
