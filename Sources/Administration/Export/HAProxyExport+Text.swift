import Settings
@_spi(Begat) import UnixCore

extension HAProxyExport {
  /// The configuration; its lines follow the names of HAProxy's manual.
  ///
  /// Source: https://docs.haproxy.org/2.6/configuration.html
  var text: String {
    head + defaults + services.map { "\n" + frontend($0) + "\n" + backend($0) }.joined()
  }

  private var head: String {
    var lines = [
      "# HAProxy 2.6 or later in front of begatd on \(options.servers.map(\.name).joined(separator: ", ")).",
      "# Generated from \(printable(source)) by `begat export haproxy` (begat \(BegatVersion.text)):",
      "# change that file and run it again.",
      "#",
      "# HAProxy reads it beside a file with a section \"global\":",
      "#   haproxy -f /etc/haproxy/haproxy.cfg -f THIS_FILE",
    ]
    if !omissions.isEmpty {
      lines += ["#", "# Left out:"]
      lines += omissions.map { "#   \($0.service)\($0.part.map { " (\($0))" } ?? ""): \($0.reason)" }
    }
    return lines.map { $0 + "\n" }.joined() + "\n"
  }

  private var defaults: String {
    var lines = [
      "defaults begat",
      "    mode tcp",
      "    log global",
      "    # begat logs the connections that it serves.",
      "    option dontlog-normal",
      "    # A connection that a machine refuses is retried on another one.",
      "    option redispatch 1",
      "    retries 3",
      "    timeout connect 2s",
      "    option clitcpka",
      "    option srvtcpka",
      "    # A source always goes to the same machine, so that its limits per source hold for all machines.",
      "    # A machine that leaves or returns moves only its own share of the sources.",
      "    hash-type consistent",
    ]
    var server = "weight \(weight) inter 2s fastinter 500ms downinter 1s fall 2 rise 1"
    if let agentPort {
      lines.append("    # The agent reports each service's state and announces stops.")
      server += " agent-check agent-port \(agentPort) agent-inter \(DurationText.render(options.agentInterval))"
    }
    lines.append("    default-server \(server)")
    return lines.map { $0 + "\n" }.joined()
  }

  /// The port of the agent for the defaults: that of the first server that has one.
  private var agentPort: UInt16? {
    guard let agentPorts else { return nil }
    return options.servers.lazy.compactMap { agentPorts.number(at: $0.host) }.first
  }

  /// A server has 16 points on the ring for each unit of its weight. More points make the shares more equal and take more
  /// memory.
  private var weight: Int { max(10, min(100, 1600 / options.servers.count)) }

  private func frontend(_ service: BalancedService) -> String {
    var lines = ["frontend \(HAProxyExport.name(service)) from begat"]
    if options.bindAddresses.isEmpty {
      lines += service.ports.all.map {
        $0.isIPv6 ? "    bind [::]:\($0.number) v6only" : "    bind 0.0.0.0:\($0.number)"
      }
    } else {
      lines += options.bindAddresses.flatMap { address in
        service.ports.numbers.map { "    bind \(address):\($0)" }
      }
    }
    lines += ["    timeout client \(timeout(service))", "    default_backend \(HAProxyExport.name(service))"]
    return lines.map { $0 + "\n" }.joined()
  }

  private func backend(_ service: BalancedService) -> String {
    let prefix = service.configuration.settings.admission.sourcePrefix
    var lines = [
      "backend \(HAProxyExport.name(service)) from begat",
      "    balance hash src,ipmask(\(prefix.ipv4),\(prefix.ipv6))",
      "    timeout server \(timeout(service))",
      "    timeout queue \(timeout(service))",
    ]
    if service.proxyOption == nil {
      lines.append("    # No proxy-from: begat does not learn the clients' addresses.")
    }
    var server = [service.proxyOption].compactMap { $0 }
    if agentPorts != nil { server += ["agent-send", "\"\(service.name)\\n\""] }
    if let limit = service.maxConnections { server += ["maxconn", "\(limit)"] }
    if !server.isEmpty { lines.append("    default-server \(server.joined(separator: " "))") }
    for machine in options.servers {
      guard let port = service.ports.number(at: machine.host) else { continue }
      // A check of a named port sends no PROXY header: begat closes the connection without a process for it.
      lines.append("    server \(machine.name) \(machine.host):\(port) check port \(port)\(agentOption(machine))")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The deviation of a server from the defaults: its agent listens at another port, or not in its family.
  private func agentOption(_ server: BalancedServer) -> String {
    guard let agentPorts else { return "" }
    guard let port = agentPorts.number(at: server.host) else { return " no-agent-check" }
    return port == agentPort ? "" : " agent-port \(port)"
  }

  /// HAProxy requires a timeout, of at most 2^31 - 1 milliseconds: a little more than 24 days.
  private func timeout(_ service: BalancedService) -> String {
    let maximum = Duration.seconds(24 * 86_400)
    return DurationText.render(min(service.idleTimeout ?? maximum, maximum))
  }

  /// A name that no other section of the administrator's has.
  private static func name(_ service: BalancedService) -> String { "begat-\(service.name)" }
}

extension BalancedServer.Host: CustomStringConvertible {
  /// The form that HAProxy takes before a port.
  public var description: String {
    switch self {
    case .ipv4(let address): "\(address)"
    case .ipv6(let address): "[\(address)]"
    case .name(let name): name
    }
  }
}
