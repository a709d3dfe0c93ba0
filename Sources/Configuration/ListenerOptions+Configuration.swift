import Settings

extension ListenerOptions {
  /// The settings of a service, for a listener that gets its sockets passed.
  ///
  /// - Parameter sockets: the kinds of its sockets, where they are open already: a socket that a service manager
  ///   passes may be of any kind.
  /// - Parameter hasResolver: whether the listener can ask for names of hosts.
  package init(
    _ configuration: ServiceConfiguration, sockets: Set<ServiceMode.SocketKind>? = nil, hasResolver: Bool
  ) {
    self.init()
    var mode = configuration.mode
    mode.sockets = sockets ?? mode.sockets
    mode.bound = []
    mode.bindsPaths = false
    mode.hasResolver = hasResolver
    service = configuration.settings.effective(in: mode)
    service.enabled = true
    service.listenStream = []
    service.listenDatagram = []
    service.allow = configuration.allow.map { $0.map(\.peer.description) }
    service.deny = configuration.deny.map(\.peer.description)
    service.denyExempt = service.admission.denyExempt.map(\.description)
    service.proxyFrom = service.admission.proxies.map(\.description)
    name = configuration.name
    service.user = configuration.identity.map { String($0.user) }
    service.group = configuration.identity.map { String($0.group) }
    groups = configuration.identity?.groups ?? []
    if let login = configuration.loginEnvironment { service.program.addLoginEnvironment(login) }
  }
}
