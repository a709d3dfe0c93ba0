import Configuration
import Settings
@_spi(Begat) import UnixCore

/// The ports at which other machines reach a service.
struct ReachablePorts {
  struct Port: Hashable {
    let isIPv6: Bool
    let number: UInt16
  }

  /// At least one, in the order of `listen-stream`.
  let all: [Port]

  /// - Throws: the reason why no other machine reaches the service.
  init(_ service: ServiceConfiguration) throws(Omission) {
    guard !service.streams.isEmpty else {
      throw Omission(of: service, "it listens only for datagrams, which HAProxy does not balance")
    }
    let addresses = service.streams.compactMap { if case .address(let address, _) = $0 { address } else { nil } }
    let internet = addresses.filter { !$0.isUnix }
    guard !internet.isEmpty else {
      throw Omission(
        of: service, "it has no internet address: HAProxy on another machine reaches no Unix socket and no fd: socket")
    }
    let reachable = internet.filter { !$0.isLoopback }
    guard !reachable.isEmpty else {
      throw Omission(of: service, "it listens on loopback, which no other machine reaches")
    }
    var ports: [Port] = []
    for case let (address, number?) in reachable.map({ ($0, $0.port) }) where number != 0 {
      var port = Port(isIPv6: false, number: number)
      if case .ipv6 = address { port = Port(isIPv6: true, number: number) }
      if !ports.contains(port) { ports.append(port) }
    }
    guard !ports.isEmpty else {
      throw Omission(of: service, "its port is 0: the kernel chooses another one on each machine")
    }
    all = ports
  }

  /// The ports without their families, each of them once.
  var numbers: [UInt16] {
    all.reduce(into: []) { numbers, port in if !numbers.contains(port.number) { numbers.append(port.number) } }
  }

  /// The port at which the balancer connects to a server; nil if the service does not listen in the address's family.
  func number(at host: BalancedServer.Host) -> UInt16? {
    switch host {
    case .ipv4: all.first { !$0.isIPv6 }?.number
    case .ipv6: all.first { $0.isIPv6 }?.number
    case .name: all.first?.number
    }
  }
}
