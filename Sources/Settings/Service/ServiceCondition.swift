/// A condition under which a key of a service has an effect.
///
/// A key without an effect is refused with the condition's reason where a service or a command line sets it for itself;
/// in `[defaults]` it is for other services.
public struct ServiceCondition: Sendable {
  /// Why a key has no effect; nil if it has one.
  let reason: @Sendable (ServiceSettings, ServiceMode) -> String?

  /// Something listens, be it begatd or the listener alone.
  static let listening = ServiceCondition { _, mode in
    mode.isStdio ? "has no effect with stdio: one connection is served, nothing listens" : nil
  }

  /// begat accepts the clients.
  static let accepting = ServiceCondition { _, mode in
    mode.handover == .sockets ? "has no effect with wait: the program itself accepts" : nil
  }

  /// There are connections, not datagrams alone.
  static let connections = ServiceCondition { _, mode in
    mode.isStdio || mode.handover == .sockets || mode.sockets.contains(where: \.isStream)
      ? nil : "has no effect on datagrams: they make no connections"
  }

  /// A process of begat measures the client's time.
  static let timed = ServiceCondition { _, mode in
    mode.handover == .connections ? "needs relay = true with exec: otherwise nothing measures the client's time" : nil
  }

  /// The listener forks a copy of itself for each connection that it accepts.
  static let forking = ServiceCondition { settings, mode in
    guard let builtIn = mode.builtIn else {
      return "has no effect on programs: they start when their clients are there"
    }
    if builtIn.needsSupervisor { return "has no effect on \(builtIn.rawValue)" }
    if !settings.commands.isEmpty { return "has no effect with commands" }
    return settings.requiresProxies ? "has no effect with proxy-from: a PROXY header may come late" : nil
  }

  static let internet = ServiceCondition { settings, mode in
    mode.isStdio || settings.requiresProxies || mode.sockets.contains(where: \.isInternet)
      ? nil : "has no effect on Unix sockets"
  }

  static let internetConnections = ServiceCondition { _, mode in
    if mode.isStdio { return nil }
    return mode.sockets.contains(.internetStream) ? nil : "has no effect without internet stream sockets"
  }

  /// There are no datagrams.
  static let streamsAlone = ServiceCondition { _, mode in
    mode.sockets.allSatisfy(\.isStream)
      ? nil : "cannot hold for datagrams, which have no PROXY header: give them a service of their own"
  }

  /// Clients may come through proxies.
  static let balanced = ServiceCondition { _, mode in
    mode.builtIn == .haproxyAgent
      ? "has no effect on haproxy-agent: HAProxy's agent-check sends no PROXY header" : nil
  }

  /// Clients come through proxies.
  static let proxied = ServiceCondition { settings, _ in
    settings.requiresProxies ? nil : "has no effect without proxy-from"
  }

  /// Clients may have internet addresses and connections.
  static let internetClients = ServiceCondition { settings, mode in
    settings.requiresProxies ? nil : internetConnections.reason(settings, mode)
  }

  /// The reader of the settings binds stream sockets.
  static let bindsStreams = ServiceCondition { _, mode in
    mode.bound.contains(where: \.isStream) || mode.isStdio
      ? nil : "has no effect: only for stream sockets that are bound here, not for datagrams or passed sockets"
  }

  static let bindsInternet = ServiceCondition { _, mode in
    mode.bound.contains(where: \.isInternet) || mode.isStdio
      ? nil : "has no effect: only for internet sockets that are bound here, not for Unix or passed sockets"
  }

  static let bindsPaths = ServiceCondition { _, mode in
    mode.bindsPaths || mode.isStdio
      ? nil : "has no effect: only for Unix sockets with a path that are bound here"
  }

  /// A program is what the service offers.
  static let exec = ServiceCondition { _, mode in
    mode.builtIn.map { "only with exec; \($0.rawValue) is built in" }
  }

  /// Programs are executed, as the service or as commands of the command server.
  static let programs = ServiceCondition { settings, mode in
    guard let builtIn = mode.builtIn else { return nil }
    return builtIn == .command && !settings.commands.isEmpty
      ? nil : "only with exec or commands; no program is executed here"
  }

  static let command = ServiceCondition { _, mode in
    switch mode.offer {
    case .builtIn(.command): nil
    case .builtIn(let builtIn): "only with serve = \"command\"; \(builtIn.rawValue) has no commands"
    case .program: "only with serve = \"command\""
    }
  }

  static let fortunes = ServiceCondition { _, mode in
    switch mode.offer {
    case .builtIn(let builtIn): builtIn.tellsFortunes ? nil : "\(builtIn.rawValue) tells no fortunes"
    case .program: "a program tells no fortunes of begat's"
    }
  }

  static let status = only(with: .status)
  static let agent = only(with: .haproxyAgent)

  private static func only(with builtIn: BuiltIn) -> ServiceCondition {
    ServiceCondition { _, mode in
      mode.builtIn == builtIn ? nil : "only with serve = \"\(builtIn.rawValue)\""
    }
  }

  /// The service has a configurable limit for the client's first bytes.
  static let awaiting = ServiceCondition { _, mode in
    mode.builtIn == .haproxyAgent
      ? "has no effect on haproxy-agent: HAProxy may send nothing, and is answered after 250ms then" : nil
  }

  /// Clients are greeted by the names of their hosts.
  static let names = ServiceCondition { _, mode in
    if mode.builtIn != .hello { return "only with serve = \"hello\": nothing else shows names of hosts" }
    return mode.hasResolver ? nil : "has no effect here: only begatd looks up names"
  }
}
