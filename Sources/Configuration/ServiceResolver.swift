import ControlProtocol
import NameService
import UnixIPC

/// A service, and the settings to blame where its addresses do not fit.
struct ResolvedService {
  let configuration: ServiceConfiguration
  let streams: ServiceSettings.Placed<[ListenAddress]>?
  let datagrams: ServiceSettings.Placed<[ListenAddress]>?
}

/// Makes a service of its table, of `[defaults]` and of what begat has when neither says anything.
struct ServiceResolver {
  let surroundings: Surroundings
  let defaults: ServiceSettings
  private let nobody = Users.find("nobody")?.identity

  init(surroundings: Surroundings, defaults: ServiceSettings) {
    self.surroundings = surroundings
    self.defaults = defaults
  }

  /// - Returns: nil when not even the kind of service is known; then there is a problem that says so.
  func resolve(_ table: Setting, problems: inout ProblemCollector) -> ResolvedService? {
    let members = problems.collect(try table.members())
    guard members != nil, hasValidName(table, problems: &problems) else { return nil }
    let own = ServiceSettings(table, runtimeDirectory: surroundings.runtimeDirectory, problems: &problems)
    let streams = own.streams ?? defaults.streams
    let datagrams = own.datagrams ?? defaults.datagrams
    if (streams?.value ?? []).isEmpty, (datagrams?.value ?? []).isEmpty, !hasFaultyAddresses(own) {
      problems.add(table.problem("expected listen-stream or listen-datagram with an address"))
    }
    guard let serve = own.serve ?? defaults.serve else {
      if own.mentioned.union(defaults.mentioned).isDisjoint(with: ["serve", "exec"]) {
        let words = BuiltIn.allCases.map(\.rawValue).joined(separator: ", ")
        problems.add(table.problem("expected serve, one of \(words)"))
      }
      return nil
    }
    if let datagrams, !datagrams.value.isEmpty, !serve.answersDatagrams {
      problems.add(datagrams.setting.problem("\(serve.rawValue) takes no datagrams"))
    }
    if let fortune = own.fortune, !serve.tellsFortunes {
      problems.add(fortune.setting.problem("\(serve.rawValue) tells no fortunes"))
    }
    let configuration = ServiceConfiguration(
      name: table.name, place: table.place, isEnabled: own.isEnabled ?? defaults.isEnabled ?? true, serve: serve,
      streams: streams?.value ?? [], datagrams: datagrams?.value ?? [],
      socketAccess: socketAccess(own, problems: &problems), backlog: own.backlog ?? defaults.backlog ?? 4096,
      identity: identity(own, table: table, problems: &problems),
      maxConnections: own.maxConnections ?? defaults.maxConnections ?? 256,
      firstByteTimeout: (own.firstByteTimeout ?? defaults.firstByteTimeout ?? .unlimited).duration,
      idleTimeout: (own.idleTimeout ?? defaults.idleTimeout ?? .after(.seconds(600))).duration,
      keepsAlive: own.keepsAlive ?? defaults.keepsAlive ?? true,
      resolvesNames: own.resolvesNames ?? defaults.resolvesNames ?? (serve == .hello),
      log: own.log ?? defaults.log ?? .connections, fortune: serve.tellsFortunes ? fortune(own) : FortuneConfiguration()
    )
    return ResolvedService(configuration: configuration, streams: streams, datagrams: datagrams)
  }

  private func hasValidName(_ table: Setting, problems: inout ProblemCollector) -> Bool {
    let name = table.name.utf8
    let isValid =
      (1...64).contains(name.count) && name.allSatisfy(isBareKeyByte)
      && table.name.first?.isLetter ?? false
    if !isValid {
      problems.add(
        table.problem("expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"))
    }
    return isValid
  }

  /// Whether addresses were written down and none of them could be read: then that is the problem.
  private func hasFaultyAddresses(_ own: ServiceSettings) -> Bool {
    let keys = [ServiceKey.listenStream.rawValue, ServiceKey.listenDatagram.rawValue]
    let table = own.mentioned.isDisjoint(with: keys) ? defaults : own
    return [(keys[0], table.streams), (keys[1], table.datagrams)].contains { key, addresses in
      guard table.mentioned.contains(key) else { return false }
      if case .array(let elements)? = addresses?.setting.value { return !elements.isEmpty }
      return true
    }
  }

  private func socketAccess(_ own: ServiceSettings, problems: inout ProblemCollector) -> UnixSocketFile.Access {
    let user = own.socketUser ?? defaults.socketUser
    if let user, !surroundings.isRoot, user.value.identity.user != surroundings.identity.user {
      problems.add(user.setting.problem("only root can give a socket to \(printable(user.value.name))"))
    }
    return UnixSocketFile.Access(
      mode: own.socketMode ?? defaults.socketMode ?? 0o666, user: user?.value.identity.user,
      group: own.socketGroup ?? defaults.socketGroup)
  }

  private func fortune(_ own: ServiceSettings) -> FortuneConfiguration {
    let (own, common) = (own.fortune?.value, defaults.fortune?.value)
    var fortune = FortuneConfiguration()
    fortune.databases = own?.databases ?? common?.databases ?? []
    fortune.includesOffensive = own?.offensive ?? common?.offensive ?? false
    fortune.maxLength = own?.maxLength ?? common?.maxLength
    return fortune
  }

  // MARK: - Identity

  private func identity(
    _ own: ServiceSettings, table: Setting, problems: inout ProblemCollector
  ) -> Identity? {
    let user = own.user ?? defaults.user
    let group = own.group ?? defaults.group
    guard surroundings.isRoot else {
      if let user, user.value.identity.user != surroundings.identity.user {
        problems.add(user.setting.problem("only root can serve as \(printable(user.value.name))"))
      }
      if let group, group.value != surroundings.identity.group {
        problems.add(group.setting.problem("only root can serve with another group"))
      }
      return nil
    }
    let isFaulty = own.user == nil && own.mentioned.union(defaults.mentioned).contains(ServiceKey.user.rawValue)
    guard var identity = user?.value.identity ?? (isFaulty ? nil : nobody) else {
      if user == nil, !isFaulty { problems.add(table.problem("no user \"nobody\" on this machine: set user")) }
      return nil
    }
    if let group {
      // As initgroups(3): the new primary group takes the place of the user's own.
      identity.groups = [group.value] + identity.groups.filter { $0 != identity.group && $0 != group.value }
      identity.group = group.value
    }
    return identity
  }
}
